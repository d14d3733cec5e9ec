using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Server.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class ApiErrorTests(ApiServer server)
{
    [Theory]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("GET", "/api", 404)]
    [InlineData("GET", "/api/v2/me", 404)]
    [InlineData("GET", "/namespaces/a/b/c", 404)]
    [InlineData("POST", "/me", 405)]
    [InlineData("PATCH", "/namespaces", 405)]
    [InlineData("TRACE", "/API/v1/me", 405)]
    public async Task UnknownPathsAndMethods_AreProblems(string method, string path, int status)
    {
        var answer = (await server.SendAsync(method, path)).Is(status);
        Assert.Equal(status == 404 ? "Not Found" : "Method Not Allowed", answer.Text("title"));
    }

    [Theory]
    [InlineData("", "name")]
    [InlineData("{", null)]
    [InlineData("[]", null)]
    [InlineData("null", null)]
    [InlineData("{\"name\":\"a\",\"name\":\"b\"}", null)]
    [InlineData("{\"name\":\"a\"} x", null)]
    [InlineData("{\"\\ud800\":1}", null)]
    [InlineData("{\"name\":\"\\ud800\"}", "name")]
    [InlineData("{\"name\":\"a\\u0000\"}", "name")]
    [InlineData("{\"name\":7}", "name")]
    [InlineData("{\"name\":\"Upper\"}", "name")]
    [InlineData("{\"name\":\"a/b\"}", "name")]
    [InlineData("{\"name\":\"fine\",\"visibility\":\"1\"}", "visibility")]
    [InlineData("{\"name\":\"fine\",\"visibility\":\"Public\"}", "visibility")]
    [InlineData("{\"name\":\"fine\",\"Visibility\":\"public\"}", "Visibility")]
    public async Task Body_ThatIsWrong_IsRefusedAndItsFaultNamed(string body, string? fault)
    {
        var answer = (await server.SendAsync("POST", "/namespaces", "admin", Json(body))).Is(400);
        if (fault is not null) Assert.Equal([fault], answer.Faults);
    }

    [Fact]
    public async Task Body_WithManyFaults_HasAllOfThemNamedAtOnce()
    {
        var answer = (await server.SendAsync("POST", "/accounts", "admin", new
        {
            name = "robot.a.b", password = "short", isAdministrator = "yes", displayName = new string('x', 201), email = 7, color = "red",
        })).Is(400);
        Assert.Equal(["color", "displayName", "email", "isAdministrator", "name", "password"], answer.Faults);
        Assert.All(answer.Faults, fault => Assert.Contains(fault, answer.Text("detail")));
    }

    [Fact]
    public async Task Body_ThatIsTooLong_IsRefused_AndOneThatFitsIsRead()
    {
        const int Longest = 64 * 1024;
        var name = server.NewName();
        var fits = $"{{\"name\":\"{name}\"{new string(' ', Longest - name.Length - 11)}}}";
        Assert.Equal(Longest, fits.Length);
        (await server.SendAsync("POST", "/namespaces", "admin", Json(fits))).Is(201);
        (await server.SendAsync("POST", "/namespaces", "admin", Json(fits + " "))).Is(413);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task Body_ThatAFormCouldSend_IsRefused(string? type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes("{\"name\":\"forged\"}"));
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        (await server.SendAsync("POST", "/namespaces", "admin", content)).Is(415);
    }

    [Theory]
    [InlineData("/namespaces?limit=0")]
    [InlineData("/namespaces?limit=1001")]
    [InlineData("/namespaces?limit=ten")]
    [InlineData("/namespaces?after=a%00b")]
    [InlineData("/events?before=x")]
    [InlineData("/events?account=%00")]
    [InlineData("/events?account=Upper")]
    [InlineData("/events?namespace=a/b")]
    [InlineData("/events?repository=A")]
    [InlineData("/events?kind=%01")]
    [InlineData("/explain?action=pull&repository=A")]
    [InlineData("/explain?action=fly&repository=a/b")]
    [InlineData("/explain?repository=a/b")]
    [InlineData("/explain?action=pull")]
    public async Task Query_ThatIsWrong_IsRefused(string path) => (await server.SendAsync("GET", path)).Is(400);

    [Theory]
    [InlineData("Basic !", "base64")]
    [InlineData("Digest x", "scheme")]
    [InlineData("Bearer a.b.c", "/token are for /v2 alone")]
    [InlineData("Bearer gantry_pat_nonsense", "access token is not valid")]
    public async Task Credential_ThatIsNone_IsToldWhatItIs(string header, string detail) =>
        Assert.Contains(detail, (await server.SendAsync("GET", "/me", header)).Is(401).Text("detail"));

    [Fact]
    public async Task WrongPassword_IsRefused_AndAnUnknownAccountNoOtherWay()
    {
        var wrong = (await server.SendAsync("GET", "/me", ApiServer.Basic("stan", "wrong password"))).Is(401);
        var unknown = (await server.SendAsync("GET", "/me", ApiServer.Basic("nobody-here", "wrong password"))).Is(401);
        Assert.Equal(wrong.Text("detail"), unknown.Text("detail"));
    }

    [Fact]
    public async Task GenuineBearerToken_OfTheTokenEndpoint_IsRefused()
    {
        using var client = server.Server.Client("admin");
        using var token = JsonDocument.Parse(await client.GetStringAsync("/token?scope=repository:a/b:pull"));
        var answer = await server.SendAsync("GET", "/me", ApiServer.Bearer(token.RootElement.GetProperty("token").GetString()!));
        Assert.Contains("/v2 alone", answer.Is(401).Text("detail"));
    }

    [Fact]
    public async Task FaultOfOurs_SaysNothingButItsRequestId()
    {
        var http = new DefaultHttpContext { TraceIdentifier = "request-7", Response = { Body = new MemoryStream() } };
        var rendering = new ProblemRendering(
            _ => throw new InvalidOperationException("the secret"), Options.Create(new AccessOptions()), NullLogger<ProblemRendering>.Instance);
        await rendering.InvokeAsync(http);

        http.Response.Body.Position = 0;
        var text = await new StreamReader(http.Response.Body).ReadToEndAsync();
        Assert.Equal(500, http.Response.StatusCode);
        Assert.DoesNotContain("secret", text);
        Assert.Equal("request-7", JsonDocument.Parse(text).RootElement.GetProperty("requestId").GetString());
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
