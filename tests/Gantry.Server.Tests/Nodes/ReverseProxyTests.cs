using System.Net;
using Gantry.Oci;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Gantry.Server.Tests.Nodes;

/// <summary>The proxy of the test kit changes nothing on the way, and cuts where it is told to.</summary>
public sealed class ReverseProxyTests : IAsyncLifetime
{
    private readonly TaskCompletionSource<byte> _firstByte = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<long> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication _one = null!, _other = null!;
    private ReverseProxy _proxy = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _one = await TargetAsync("one");
        _other = await TargetAsync("other");
        _proxy = await ReverseProxy.StartAsync(new Uri(_one.Urls.First()), new Uri(_other.Urls.First()));
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, Expect100ContinueTimeout = TimeSpan.FromSeconds(60) }) { BaseAddress = _proxy.Address };
    }

    [Fact]
    public async Task Requests_GoToTheTargetsInTurn()
    {
        string[] answers = [await Name(), await Name(), await Name()];
        Assert.Equal(answers[0], answers[2]);
        Assert.NotEqual(answers[0], answers[1]);
        _proxy.Targets = [new Uri(_one.Urls.First())];
        Assert.Equal(["one", "one"], [await Name(), await Name()]);
        Assert.Equal(5, _proxy.Counts["GET /name"]);

        async Task<string> Name() => (await _client.GetAsync("/name")).Header("X-Name");
    }

    [Fact]
    public async Task Target_HostAndHeaders_ArriveAsTheyWereSent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete,
            new Uri(_proxy.Address.AbsoluteUri + "a%2Fb%20c/%7e//d?x=%2B+&y", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.TryAddWithoutValidation("X-Amz-Date", "20260101T000000Z");
        request.Content = new ByteArrayContent([]);
        request.Content.Headers.TryAddWithoutValidation("Content-MD5", "odd");
        using var answer = await _client.SendAsync(request);
        Assert.Equal("/a%2Fb%20c/%7e//d?x=%2B+&y", answer.Header("X-Target"));
        Assert.Equal(_proxy.Address.Authority, answer.Header("X-Host"));
        Assert.Equal("20260101T000000Z odd", answer.Header("X-Signed"));
    }

    [Fact]
    public async Task Body_IsForwardedWhileItIsSent()
    {
        var body = new HeldContent(new byte[1000]);
        var put = _client.PutAsync("/slow", body);
        await _firstByte.Task;
        Assert.False(put.IsCompleted);
        body.Release();
        using var answer = await put;
        Assert.Equal(1000, await _received.Task);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task AnswerToAClientThatExpects100_NeedsNoBody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/refused") { Content = new HeldContent(new byte[10_000]) };
        // Below 1 KiB the client would send it all the same.
        request.Headers.ExpectContinue = true;
        using var answer = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Faults_CutWhereTheyAreToldTo()
    {
        _proxy.Faults = _ => ProxyFault.S3Error(503, "SlowDown");
        using var slow = await _client.GetAsync("/name");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, slow.StatusCode);
        Assert.Contains("<Code>SlowDown</Code>", await slow.Content.ReadAsStringAsync());

        _proxy.Faults = _ => ProxyFault.CutBefore;
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.PutAsync("/slow", new ByteArrayContent(new byte[10])));
        Assert.False(_firstByte.Task.IsCompleted);

        _proxy.Faults = _ => ProxyFault.CutAnswer;
        await Assert.ThrowsAnyAsync<Exception>(() => _client.GetByteArrayAsync("/bytes"));

        _proxy.Faults = _ => ProxyFault.CutRequest;
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.PutAsync("/slow", new ByteArrayContent(new byte[1000])));
        // A reset may overtake what was sent before it: the target has half of it at most.
        Assert.False(_received.Task.IsCompletedSuccessfully && await _received.Task > 500);

        _proxy.Faults = _ => ProxyFault.Hang;
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetAsync("/name", patience.Token));
    }

    [Fact]
    public async Task LostAnswer_IsOfARequestThatTheTargetTook()
    {
        _proxy.Faults = _ => ProxyFault.LoseAnswer;
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.PutAsync("/slow", new ByteArrayContent(new byte[1000])));
        Assert.Equal(1000, await _received.Task);
    }

    [Fact]
    public async Task Counts_NameKindsOfPathsAlone()
    {
        using var patch = await _client.PatchAsync($"/v2/a/b/blobs/uploads/{Guid.NewGuid()}?state=1", null);
        using var get = await _client.GetAsync($"/v2/a/b/blobs/{Digest.Of([1])}");
        Assert.Equal(1, _proxy.Counts["PATCH /v2/a/b/blobs/uploads/*?state"]);
        Assert.Equal(1, _proxy.Counts["GET /v2/a/b/blobs/*"]);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
        await _one.DisposeAsync();
        await _other.DisposeAsync();
    }

    private async Task<WebApplication> TargetAsync(string name)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(http => AnswerAsync(http, name));
        await app.StartAsync();
        return app;
    }

    private async Task AnswerAsync(HttpContext http, string name)
    {
        http.Response.Headers["X-Name"] = name;
        http.Response.Headers["X-Target"] = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        http.Response.Headers["X-Host"] = http.Request.Host.Value;
        http.Response.Headers["X-Signed"] = $"{http.Request.Headers["X-Amz-Date"]} {http.Request.Headers["Content-MD5"]}";
        switch (http.Request.Path.Value)
        {
            case "/slow":
                await TakeAsync(http.Request.Body);
                http.Response.StatusCode = StatusCodes.Status201Created;
                break;
            case "/refused":
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                break;
            case "/bytes":
                http.Response.ContentLength = 100_000;
                await http.Response.Body.WriteAsync(new byte[100_000]);
                break;
        }
    }

    private async Task TakeAsync(Stream body)
    {
        var (buffer, received) = (new byte[100], 0L);
        try
        {
            while (await body.ReadAsync(buffer) is var count and > 0)
            {
                _firstByte.TrySetResult(buffer[0]);
                received += count;
            }
        }
        finally
        {
            _received.TrySetResult(received);
        }
    }
}
