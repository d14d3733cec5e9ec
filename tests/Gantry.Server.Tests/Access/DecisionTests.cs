using System.Text.Json;
using Gantry.Oci;
using Gantry.Server.Tests.V2;

namespace Gantry.Server.Tests.Access;

/// <summary>The decision table, row by row, against the real server.</summary>
[Collection(typeof(DecisionCollection))]
public sealed class DecisionTests(DecisionWorlds worlds)
{
    private static readonly Digest Unknown = Digest.Of("there is no such content"u8);

    public static IEnumerable<TheoryDataRow<string>> Table => DecisionRow.ReadAll().Select(line => new TheoryDataRow<string>(line) { TestDisplayName = $"Decision: {line}" });

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Decision_IsAsWritten(string line)
    {
        var row = DecisionRow.Parse(line);
        Assert.Equal(DecisionWorld.FactsOf(row.Repository), (row.Visibility, row.Rule));
        var world = await worlds.GetAsync(row.Setting);
        var (method, path) = await RequestAsync(world, row);

        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (await world.AuthorizationAsync(row.Actor, row.Credential, ScopeOf(row)) is { } authorization)
            Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
        using var response = await world.Nobody.SendAsync(request);

        Assert.Equal(row.Outcome, await OutcomeAsync(response, row));
    }

    [Fact]
    public void Table_IsLongEnough_AndSaysNothingTwice()
    {
        var lines = DecisionRow.ReadAll().ToList();
        var questions = lines.Select(DecisionRow.Parse).Select(row => row with { Outcome = "" }).ToList();

        Assert.True(lines.Count >= 200, $"{lines.Count} rows");
        Assert.Empty(questions.GroupBy(row => row).Where(same => same.Count() > 1).Select(same => same.Key));
    }

    /// <summary>What a client asks /token for before this request.</summary>
    internal static string ScopeOf(DecisionRow row) => row.Action switch
    {
        "base" or "login" => "",
        "catalog" => "registry:catalog:*",
        "push" => $"repository:{row.Repository}:pull,push",
        "delete" => $"repository:{row.Repository}:delete",
        _ => $"repository:{row.Repository}:pull",
    };

    private static async Task<(string Method, string Path)> RequestAsync(DecisionWorld world, DecisionRow row)
    {
        var root = $"/v2/{row.Repository}";
        var isThere = row.Visibility != "missing" && !row.Repository.EndsWith("/none", StringComparison.Ordinal);
        return row.Action switch
        {
            "base" => ("GET", "/v2/"),
            "login" => ("GET", "/token?service=gantry"),
            "catalog" => ("GET", "/v2/_catalog?n=1000"),
            "manifest" => ("GET", $"{root}/manifests/v1"),
            "head" => ("HEAD", $"{root}/manifests/v1"),
            "blob" => ("GET", $"{root}/blobs/{DecisionWorld.Blob}"),
            "tags" => ("GET", $"{root}/tags/list"),
            "referrers" => ("GET", $"{root}/referrers/{DecisionWorld.Blob}"),
            "push" => ("POST", $"{root}/blobs/uploads/"),
            "delete" => ("DELETE", $"{root}/manifests/{(isThere ? await world.PushWasteAsync(row.Repository) : Unknown)}"),
            _ => throw new FormatException($"there is no action {row.Action}"),
        };
    }

    // As the table writes it.
    private static async Task<string> OutcomeAsync(HttpResponseMessage response, DecisionRow row)
    {
        var status = $"{(int)response.StatusCode}";
        if (row.Action == "head")
        {
            Assert.Empty(await response.Content.ReadAsByteArrayAsync());
            return status;
        }

        if (response.IsSuccessStatusCode)
        {
            if (row.Action != "catalog") return status;
            using var catalog = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            var names = catalog.RootElement.GetProperty("repositories").EnumerateArray().Select(name => name.GetString());
            return $"{status} {(names.Contains(row.Repository) ? "listed" : "hidden")}";
        }

        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var code = Assert.Single(body.RootElement.GetProperty("errors").EnumerateArray()).GetProperty("code").GetString();
        var challenge = response.RawHeader("WWW-Authenticate");
        Assert.Equal(status == "401", challenge is not null);
        var error = challenge?.Split("error=\"") is [_, var rest] ? $" {rest.Split('"')[0]}" : "";
        return $"{status} {code}{error}";
    }
}
