using System.Text.Json;
using Gantry.Server.Api;
using Gantry.TestKit;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class ApiDescriptionTests(ApiServer server)
{
    [Fact]
    public async Task Document_IsOpenApi3WithEveryRouteAndUniqueOperationIds()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.True(document.GetProperty("info").TryGetProperty("version", out _));

        var described = Operations(document).Select(operation => $"{operation.Method} {operation.Path}").Order();
        var routed = Routes().SelectMany(route => route.Methods.Where(method => method != "HEAD").Select(method => $"{method} {route.Path}")).Order();
        Assert.Equal(routed, described);

        var ids = Operations(document).Select(operation => operation.Json.GetProperty("operationId").GetString()!).ToList();
        Assert.Equal(ids.Distinct(StringComparer.OrdinalIgnoreCase), ids);
        Assert.All(ids, id => Assert.Matches("^[a-z][A-Za-z]+$", id));
    }

    [Fact]
    public async Task Operations_SayWhatTheyDoHowTheyFailAndWhatTheirPathsMean()
    {
        var document = await DocumentAsync();
        var schemes = document.GetProperty("components").GetProperty("securitySchemes");
        foreach (var operation in Operations(document))
        {
            Assert.True(operation.Json.GetProperty("summary").GetString() is { Length: > 5 }, $"{operation} has no summary");
            var responses = operation.Json.GetProperty("responses");
            Assert.Contains(responses.EnumerateObject(), response => response.Name.StartsWith('2'));
            Assert.True(responses.GetProperty("401").GetProperty("content").TryGetProperty("application/problem+json", out _));
            Assert.All(operation.Json.GetProperty("security").EnumerateArray().SelectMany(one => one.EnumerateObject()),
                scheme => Assert.True(schemes.TryGetProperty(scheme.Name, out _)));

            var parameters = operation.Json.TryGetProperty("parameters", out var given) ? given.EnumerateArray().ToList() : [];
            var inPath = parameters.Where(one => one.GetProperty("in").GetString() == "path").Select(one => one.GetProperty("name").GetString());
            Assert.Equal(operation.Path.Split('/').Where(part => part.StartsWith('{')).Select(part => part[1..^1]), inPath);
            Assert.All(parameters, one => Assert.False(string.IsNullOrEmpty(one.GetProperty("description").GetString())));
        }
    }

    [Fact]
    public async Task References_AllLeadSomewhere()
    {
        var document = await DocumentAsync();
        var references = References(document).Distinct().ToList();
        Assert.NotEmpty(references);
        foreach (var reference in references)
        {
            var at = document;
            foreach (var part in reference.Split('/').Skip(1)) Assert.True(at.TryGetProperty(part, out at), reference);
        }
    }

    [Fact]
    public async Task Bodies_AreReadAsTheyAreDescribed()
    {
        var document = await DocumentAsync();
        var ns = await server.NewNamespaceAsync();
        var webhook = (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "admin", new { name = "x", url = "https://hooks.example/" })).Is(201);
        var id = $"{webhook["webhook"].GetProperty("id").GetInt64()}";
        using (var client = server.Server.Client("admin")) await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        var bodies = Operations(document).Where(operation => operation.Json.TryGetProperty("requestBody", out _)).ToList();
        Assert.True(bodies.Count >= 11);
        foreach (var operation in bodies)
        {
            var reference = operation.Json.GetProperty("requestBody").GetProperty("content").GetProperty("application/json")
                .GetProperty("schema").GetProperty("$ref").GetString()!;
            var schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.Split('/')[^1]);
            var known = schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order().ToList();
            var required = schema.TryGetProperty("required", out var list) ? list.EnumerateArray().Select(name => name.GetString()!).Order().ToList() : [];

            var path = operation.Path.Replace("{ns}", ns).Replace("{account}", "reader").Replace("{name}", "reader").Replace("{group}", "p/g").Replace("{id}", id)
                .Replace("{repository}", $"{ns}%2Fapp").Replace("{tag}", "v1");
            var answer = (await server.SendAsync(operation.Method, path, "admin", new { strange = 1 })).Is(400);
            var fault = answer["errors"].GetProperty("strange")[0].GetString()!;
            var told = fault["is not known here: ".Length..fault.LastIndexOf(' ')].Split(", ").Order();
            Assert.Equal(known, told);
            Assert.Equal(required, answer.Faults.Where(name => name != "strange").Order());
        }
    }

    [Fact]
    public async Task NotModified_IsDescribedWhereItIsAnswered()
    {
        var ns = await server.NewNamespaceAsync();
        var webhook = (await server.SendAsync("POST", $"/namespaces/{ns}/webhooks", "admin", new { name = "x", url = "https://hooks.example/" })).Is(201);
        var robot = (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "admin", new { name = "ci", role = "reader" })).Is(201).Text("name");
        using (var client = server.Server.Client("admin")) await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        (await server.SendAsync("PUT", $"/repositories/{ns}%2Fapp/readme", "admin", new { markdown = "x" })).Is(200);
        var known = 0;
        foreach (var operation in Operations(await DocumentAsync()).Where(one => one.Method == "GET"))
        {
            var path = operation.Path.Replace("{ns}", ns).Replace("{account}", "reader").Replace("{robot}", robot).Replace("{repository}", $"{ns}%2Fapp")
                .Replace("{tag}", "v1").Replace("{reference}", "v1").Replace("{id}", $"{webhook["webhook"].GetProperty("id").GetInt64()}");
            var answer = (int)(await server.SendAsync("GET", path, "admin", null, ("If-None-Match", "*"))).Status;
            if (answer is not (200 or 304)) continue;
            known++;
            Assert.True(operation.Json.GetProperty("responses").TryGetProperty("304", out _) == (answer == 304), $"{operation.Path}: {answer}");
        }

        Assert.True(known > 20);
    }

    [Theory]
    [InlineData("/swagger/index.html", "text/html")]
    [InlineData("/swagger/index.js", "application/javascript")]
    [InlineData("/swagger/requests.js", "text/javascript")]
    [InlineData("/swagger/v1/swagger.json", "application/json")]
    public async Task Documentation_NeedsNoLogin(string path, string type)
    {
        using var client = server.Server.Client(account: null);
        using var response = await client.GetAsync(path);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);

        // It is used with the browser's session: nobody's frame, nobody's script, nothing that becomes a script.
        var policy = response.Header("Content-Security-Policy").Split("; ");
        foreach (var rule in new[] { "default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'" }) Assert.Contains(rule, policy);
        Assert.DoesNotContain("unsafe-eval", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("DENY", response.Header("X-Frame-Options"));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
    }

    [Fact]
    public async Task Routes_WithoutException_RefuseAnAnonymousCaller()
    {
        var routes = Routes();
        Assert.True(routes.Count >= ApiRoutes.Table.Length);
        foreach (var (path, methods) in routes)
        {
            // Open to nobody in particular, who is shown nothing that is not public.
            if (path == "/api/v1/repositories") continue;
            foreach (var method in methods)
            {
                var url = path.Replace("{", "").Replace("}", "");
                var answer = await server.SendAsync(method, url, who: null);
                Assert.True((int)answer.Status == 401, $"{method} {path}: {answer.Status}");
                if (method != "HEAD") answer.Is(401);
                Assert.StartsWith("Basic realm=", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
                var asScript = await server.SendAsync(method, url, null, null, ("X-Requested-With", "XMLHttpRequest"));
                Assert.Equal(401, (int)asScript.Status);
                Assert.Null(asScript.Header("WWW-Authenticate"));
            }
        }
    }

    [Fact]
    public async Task Routes_RefuseACredentialWithoutTheApiInItsScopes()
    {
        var token = await server.NewTokenAsync("self", "stan", "repository:*:pull,push,delete");
        foreach (var (path, methods) in Routes())
        {
            var url = path.Replace("{", "").Replace("}", "");
            foreach (var method in methods.Where(method => method != "HEAD"))
                Assert.Contains("api:*", (await server.SendAsync(method, url, ApiServer.Bearer(token))).Is(403).Text("detail"));
        }
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var client = server.Server.Client(account: null);
        return JsonDocument.Parse(await client.GetStringAsync("/swagger/v1/swagger.json")).RootElement;
    }

    /// <summary>What the server routes under /api, whoever mapped it; the path as OpenAPI writes it.</summary>
    private List<(string Path, IReadOnlyList<string> Methods)> Routes() =>
    [
        .. server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.TrimStart('/').StartsWith("api", StringComparison.OrdinalIgnoreCase))
            .Select(endpoint => (endpoint.RoutePattern.RawText!.Replace("{**", "{"), endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)),
    ];

    private static IEnumerable<(string Method, string Path, JsonElement Json)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject(),
            (path, operation) => (operation.Name.ToUpperInvariant(), path.Name, operation.Value));

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.Name == "$ref" ? [property.Value.GetString()!] : References(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
