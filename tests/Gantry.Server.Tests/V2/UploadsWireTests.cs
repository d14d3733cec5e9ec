using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.RawConnection;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>Uploads byte by byte: what the wire shows and a library hides.</summary>
public sealed class UploadsWireTests(RegistryFixture registry)
{
    private const string WrongBasic = "Authorization: Basic YWRtaW46d3Jvbmc=", WrongBearer = "Authorization: Bearer wrong";

    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("Content-Length: 5")]
    [InlineData("Transfer-Encoding: chunked")]
    [Trait("Protocol", "D2.35")]
    public async Task Expect_WithAccess_IsAnsweredBeforeTheBody(string framing)
    {
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head("PATCH", upload, framing, "Expect: 100-continue"));

        Assert.Equal(100, (await connection.ReadAsync()).Status);

        if (framing.EndsWith('5')) await connection.SendAsync("12345");
        else await connection.SendAsync("5\r\n12345\r\n0\r\n\r\n");
        var answer = await connection.ReadAsync();
        Assert.Equal((202, "0-4"), (answer.Status, answer.Header("Range")));
    }

    [Theory]
    [InlineData("PATCH", "X-None: none")]
    [InlineData("PUT", "X-None: none")]
    [InlineData("POST", "X-None: none")]
    [InlineData("PATCH", WrongBasic)]
    [InlineData("PATCH", WrongBearer)]
    [Trait("Protocol", "D2.35")]
    public async Task Expect_WithoutAccess_Is401AndTheBodyIsNeverAskedFor(string method, string credential)
    {
        var upload = await Client.StartUploadAsync(_repository);
        var target = RegistryClient.WithDigest(method == "POST" ? $"/v2/{_repository}/blobs/uploads/" : upload, Digest.Of([]));
        await using var connection = await ConnectAsync();
        await connection.SendAsync(HeadOfNobody(method, target, credential, "Content-Length: 20000000000", "Expect: 100-continue"));

        await AssertRefusedAsync(connection);
    }

    [Theory]
    [InlineData("PATCH", "uploads/00000000-0000-0000-0000-000000000000", 404)]
    [InlineData("PATCH", "uploads/no-id", 404)]
    [InlineData("PUT", "uploads/00000000-0000-0000-0000-000000000000?digest=sha256:1", 400)]
    [InlineData("POST", "uploads/?digest=sha256:1", 400)]
    [Trait("Protocol", "D2.35")]
    public async Task Expect_WhereTheBodyIsNoUse_IsRefusedBeforeIt(string method, string path, int status)
    {
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head(
            method, $"/v2/{_repository}/blobs/{path}", "Content-Length: 20000000000", "Expect: 100-continue"));

        Assert.Equal(status, (await connection.ReadAsync()).Status);
    }

    [Fact]
    [Trait("Protocol", "D2.35")]
    public async Task Expect_OutOfOrder_Is416BeforeTheBody()
    {
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head("PATCH", upload, "Content-Length: 10", "Content-Range: 5-14", "Expect: 100-continue"));

        Assert.Equal(416, (await connection.ReadAsync()).Status);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(5_000_000)]
    [InlineData(50_000_000)]
    [Trait("Protocol", "D4.72")]
    public async Task Unauthorized_WithAnUnreadBody_ReachesAClientThatSendsItAllFirst(int length)
    {
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();
        await connection.SendAsync(HeadOfNobody("PATCH", upload, $"Content-Length: {length}"));
        await connection.SendAsync(new byte[length]);

        var refused = await connection.ReadAsync();
        Assert.Equal(401, refused.Status);

        if (refused.Headers["Connection"].Contains("close")) return;
        await connection.SendAsync(Head("GET", upload));
        Assert.Equal(204, (await connection.ReadAsync()).Status);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(5_000_000)]
    [InlineData(50_000_000)]
    [Trait("Protocol", "D4.72")]
    public async Task Unauthorized_WithAnUnreadBody_LeavesAClientThatCanGoOn(int length)
    {
        var content = new byte[length];
        using var nobody = registry.Server.Client(account: null);
        var upload = await Client.StartUploadAsync(_repository);
        for (var round = 0; round < 3; round++)
        {
            using var refused = await nobody.SendChunkAsync(upload, content);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        nobody.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);
        using var put = await nobody.CloseAsync(upload, Digest.Of(content), content);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData("PATCH", false)]
    [InlineData("PATCH", true)]
    [InlineData("PUT", false)]
    [InlineData("POST", false)]
    [Trait("Protocol", "D5.73")]
    public async Task Body_PastKestrelsUsualLimit_IsTaken(string method, bool chunked)
    {
        var content = NewContent(30_000_001);
        var upload = method == "POST" ? $"/v2/{_repository}/blobs/uploads/" : await Client.StartUploadAsync(_repository);
        using var request = new HttpRequestMessage(new HttpMethod(method), RegistryClient.WithDigest(upload, Digest.Of(content)))
        {
            Content = RegistryClient.Bytes(content),
        };
        request.Headers.TransferEncodingChunked = chunked;

        using var answer = await Client.SendAsync(request);

        Assert.Equal(method == "PATCH" ? HttpStatusCode.Accepted : HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D5.73")]
    [Trait("Speed", "Slow")]
    public async Task Body_ThatRestsLongerThanKestrelsUsualGrace_IsTaken()
    {
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head("PATCH", upload, "Content-Length: 3"));
        foreach (var letter in "ab")
        {
            await connection.SendAsync($"{letter}");
            // 240 bytes a second after 5 s is what Kestrel would ask for; it looks once a second.
            Assert.False(await connection.AnswersWithinAsync(TimeSpan.FromSeconds(7)));
        }

        await connection.SendAsync("c");

        var answer = await connection.ReadAsync();
        Assert.Equal((202, "0-2"), (answer.Status, answer.Header("Range")));
        using var put = await Client.CloseAsync(upload, Digest.Of("abc"u8));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D5.74")]
    public async Task Body_IsStagedWhileItComes()
    {
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head("PATCH", upload, "Content-Length: 100000000"));
        for (var sent = 0; sent < 3; sent++)
        {
            var before = await registry.Server.StagedBytesAsync(upload);
            await connection.SendAsync(new byte[VisibleBytes]);
            await UntilAsync(async () => await registry.Server.StagedBytesAsync(upload) >= before + 500_000, "staged bytes");
        }
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "")]
    [InlineData("multipart/form-data; boundary=x", "")]
    [InlineData("application/json", "")]
    [InlineData("no media type at all", "")]
    [InlineData("application/octet-stream", "Content-Encoding: gzip\r\n")]
    [Trait("Protocol", "D5.74")]
    public async Task Body_OfAnyContentType_IsTakenByteForByte(string contentType, string further)
    {
        var content = Encoding.ASCII.GetBytes("--x\r\ndigest=sha256:1&a=b\r\n--x--\r\n");
        var upload = await Client.StartUploadAsync(_repository);
        await using var connection = await ConnectAsync();

        await connection.SendAsync(Head("PUT", RegistryClient.WithDigest(upload, Digest.Of(content)),
            $"Content-Type: {contentType}\r\n{further}Content-Length: {content.Length}"));
        await connection.SendAsync(content);

        Assert.Equal(201, (await connection.ReadAsync()).Status);
        Assert.Equal(content, await Client.GetByteArrayAsync($"/v2/{_repository}/blobs/{Digest.Of(content)}"));
    }

    [Theory]
    [InlineData("POST", "/v2/a%2Fb/blobs/uploads/")]
    [InlineData("POST", "/v2/a%2fb/blobs/uploads/")]
    [InlineData("POST", "/v2/a/..%2Fb/blobs/uploads/")]
    [InlineData("POST", "/v2/a%252Fb/blobs/uploads/")]
    [InlineData("POST", "/v2/a%5Cb/blobs/uploads/")]
    [InlineData("PATCH", "/v2/a%2Fb/blobs/uploads/00000000-0000-0000-0000-000000000000")]
    [InlineData("GET", "/v2/a%2Fb/tags/list")]
    [InlineData("GET", "/v2/a%2Fb/manifests/latest")]
    [InlineData("GET", "/v2/a%2Fb/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [Trait("Protocol", "D5.78")]
    public async Task Name_WithAnEscapedSlash_IsInvalidEverywhere(string method, string target)
    {
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head(method, target, "Content-Length: 0"));

        var answer = await connection.ReadAsync();

        Assert.Equal(400, answer.Status);
        Assert.Contains("\"NAME_INVALID\"", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/x/../{0}/blobs/uploads/")]
    [InlineData("/v2/./{0}/blobs/uploads/")]
    [InlineData("/v2/x/%2e%2e/{0}/blobs/uploads/")]
    [InlineData("/v2/{0}/blobs/uploads/../uploads/")]
    [Trait("Protocol", "D5.78")]
    public async Task DotSegments_AreResolvedBeforeAnythingIsBuiltFromThem(string target)
    {
        await using var connection = await ConnectAsync();
        await connection.SendAsync(Head("POST", string.Format(target, _repository), "Content-Length: 0"));

        var answer = await connection.ReadAsync();

        Assert.Equal(202, answer.Status);
        Assert.StartsWith($"/v2/{_repository}/blobs/uploads/", answer.Header("Location"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/../../etc/blobs/uploads/")]
    [InlineData("/v2/%2e%2e/%2e%2e/etc/blobs/uploads/")]
    [InlineData("/v2/a/blobs/uploads/..%2F..%2F..%2Fetc%2Fpasswd")]
    [InlineData("/v2/a/blobs/uploads/../../../../etc/passwd")]
    [Trait("Protocol", "D5.78")]
    public async Task DotSegments_ThatLeadOut_LeadNowhere(string target)
    {
        await using var connection = await ConnectAsync();
        foreach (var method in new[] { "POST", "PATCH", "GET" })
        {
            await connection.SendAsync(Head(method, target, "Content-Length: 0"));
            Assert.InRange((await connection.ReadAsync()).Status, 404, 405);
        }
    }

    private static async Task AssertRefusedAsync(RawConnection connection)
    {
        var answer = await connection.ReadAsync();
        Assert.Equal(401, answer.Status);
        Assert.StartsWith("Bearer realm=", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        // A body of 20 GB is neither waited for nor taken for the next request.
        Assert.Contains("close", answer.Headers["Connection"]);
        connection.EndSending();
        Assert.True(await connection.EndsAsync());
    }

    private Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(registry.Server.Address);
}
