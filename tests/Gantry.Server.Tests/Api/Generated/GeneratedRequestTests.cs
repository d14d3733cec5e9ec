using System.Text.Json;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Api;

/// <summary>
/// Requests made of the document itself, by an administrator, a maintainer, a reader and nobody: none is a fault of the server's, each answer is one that the document
/// names and has the shape that it promises. A server of its own: some of the requests delete. A failure names the seed that repeats them.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class GeneratedRequestTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const int Rounds = 3;

    private static readonly string?[] Callers = ["admin", "maintainer", "reader", null];

    [Fact]
    public async Task GeneratedRequests_AreNeverAFault_AndEveryAnswerIsDocumented()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GANTRY_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed} (GANTRY_TEST_SEED repeats it)");
        var random = new Random(seed);
        using var client = server.Server.Client(account: null);
        var document = JsonDocument.Parse(await client.GetStringAsync("/swagger/v1/swagger.json")).RootElement;
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject(),
            (path, operation) => new Operation(operation.Name.ToUpperInvariant(), path.Name, operation.Value)).ToArray();
        var schemas = new DocumentedSchema(document);
        var generator = new RequestGenerator(random, schemas, await FillAsync());

        var last = "";
        var (sent, statuses, faults) = (0, new SortedDictionary<int, int>(), new List<string>());
        for (var round = 0; round < Rounds; round++)
        {
            // What was deleted is there again, and what reads comes before what changes.
            await RenewAsync();
            random.Shuffle(operations);
            foreach (var operation in operations.OrderBy(operation => operation.Method == "GET" ? 0 : 1))
            {
                foreach (var who in Callers)
                {
                    var request = generator.Next(operation);
                    sent++;
                    var before = last;
                    last = $"{operation} by {who ?? "nobody"}: {request.Path} {string.Join(' ', request.Headers)} {request.BodyText}";
                    Answer answer;
                    try
                    {
                        answer = await server.SendAsync(operation.Method, request.Path, who, request.Body, request.Headers);
                    }
                    catch (HttpRequestException broken)
                    {
                        faults.Add($"{operation} by {who ?? "nobody"}: no answer, {broken.InnerException?.Message}; before it {before}\n  {request.Path}\n  {request.BodyText}");
                        continue;
                    }

                    statuses[(int)answer.Status] = statuses.GetValueOrDefault((int)answer.Status) + 1;
                    if (FaultOf(operation, answer, schemas) is { } fault)
                        faults.Add($"{operation} by {who ?? "nobody"}: {fault}\n  {request.Path}\n  {string.Join(' ', request.Headers)}\n  {request.BodyText}\n  {answer.Json}");
                }
            }
        }

        Assert.True(faults.Count == 0, $"seed {seed}, {sent} requests, {faults.Count} faults:\n{string.Join('\n', faults.Take(20))}");
        Assert.True(sent >= 600, $"only {sent} requests");
        // The generator is worth something only while it gets past the first check.
        foreach (var status in (int[])[200, 204, 400, 401, 403, 404]) Assert.True(statuses.GetValueOrDefault(status) > 0, $"seed {seed}: {string.Join(' ', statuses)}");
    }

    private static string? FaultOf(Operation operation, Answer answer, DocumentedSchema schemas)
    {
        var status = (int)answer.Status;
        if (status >= 500) return $"{status}";
        if (!operation.Json.GetProperty("responses").TryGetProperty($"{status}", out var response)) return $"{status} is not documented";
        if (status >= 400)
        {
            if (answer.ContentType != "application/problem+json") return $"{status} is {answer.ContentType ?? "nothing"}";
            if (answer["status"].GetInt32() != status || string.IsNullOrWhiteSpace(answer.Text("detail")) || answer.Header("X-Request-Id") != answer.Text("requestId"))
                return $"{status} says {answer.Json}";
        }

        if (!response.TryGetProperty("content", out var content)) return answer.Json.ValueKind == JsonValueKind.Undefined ? null : $"{status} has a body";
        return schemas.FaultOf(answer.Json, content.GetProperty(answer.ContentType!).GetProperty("schema"));
    }

    /// <summary>What there is to be asked for, by the names of parameters and properties. No caller is among what may be changed.</summary>
    private async Task<Dictionary<string, string[]>> FillAsync()
    {
        (await server.SendAsync("POST", "/namespaces", "admin", new { name = "made", visibility = "private" })).Is(201);
        foreach (var role in new[] { "reader", "maintainer" }) (await server.SendAsync("PUT", $"/namespaces/made/members/accounts/{role}", "admin", new { role })).Is(204);
        await server.AddPersonAsync("victim");
        (await server.SendAsync("POST", "/namespaces/made/robots", "admin", new { name = "ci", role = "writer" })).Is(201);
        await RenewAsync();
        var digests = (await server.SendAsync("GET", "/repositories/made%2Fapp/tags")).Is(200)["items"].EnumerateArray().Select(tag => tag.GetProperty("digest").GetString()!);
        var layers = (await server.SendAsync("GET", "/repositories/made%2Fapp/manifests/v1")).Is(200)["layers"].EnumerateArray().Select(layer => layer.GetProperty("digest").GetString()!);
        string[] all = [.. digests, .. layers];
        return new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["ns"] = ["made", "made", "none"], ["namespace"] = ["made"], ["repository"] = ["made/app", "made/app", "made/other", "none/app"],
            ["withRepository"] = ["made/app", "made/other"], ["tag"] = ["v1", "v2", "none"], ["reference"] = ["v1", "v2", .. all], ["with"] = ["v1", "v2"],
            ["digest"] = all, ["account"] = ["victim", "robot.made.ci"], ["robot"] = ["robot.made.ci"], ["group"] = ["provider/group"],
            ["path"] = ["etc", "etc/motd", "/", "none"], ["url"] = ["https://hooks.example/", "http://10.0.0.1/"], ["q"] = ["app", "made", "a b"],
            ["scopes[]"] = ["*", "api:*", "repository:*:pull"], ["kinds[]"] = ["push", "tag.delete"], ["repositories"] = ["*", "made/*"], ["markdown"] = ["# hello", ""],
            ["{name}"] = ["victim"], ["role"] = ["reader", "writer"], ["password"] = ["a good password"], ["from"] = ["2026-01-01T00:00:00Z"], ["until"] = ["2026-11-22T00:00:00Z"],
            ["ignore"] = ["modified", "owner,mode"], ["action"] = ["pull", "push"], ["id"] = [.. Enumerable.Range(1, 6).Select(id => $"{id}")], ["points"] = ["1", "1000"],
        };
    }

    private async Task RenewAsync()
    {
        foreach (var repository in new[] { "made/app", "made/other" })
        {
            await server.PushFilesAsync(repository, "v1", new TarBytes().File("etc/motd", "first").End());
            await server.PushFilesAsync(repository, "v2", new TarBytes().File("etc/motd", "first").End(), new TarBytes().File("etc/new", "new").End());
        }
    }
}
