using System.Net;
using System.Text;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.ManifestCalls;

namespace Gantry.Server.Tests.V2;

/// <summary>What refers to a manifest: signatures, attestations, and whatever else a client attaches.</summary>
public sealed class ReferrersTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D3.47")]
    [InlineData(true, DigestAlgorithm.Sha256)]
    [InlineData(true, DigestAlgorithm.Sha512)]
    [InlineData(false, DigestAlgorithm.Sha256)]
    public async Task Get_UnknownDigestOrRepository_IsAnEmptyIndex(bool repositoryExists, DigestAlgorithm algorithm)
    {
        var repository = registry.NewRepository();
        if (repositoryExists) await Client.PushImageAsync(repository, "v1");

        using var get = await Client.GetAsync($"/v2/{repository}/referrers/{Digest.Of("unknown"u8, algorithm)}");

        get.AssertStatus(HttpStatusCode.OK);
        Assert.Equal("application/vnd.oci.image.index.v1+json", get.RawHeader("Content-Type"));
        using var body = JsonDocument.Parse(await get.Content.ReadAsByteArrayAsync());
        Assert.Equal(2, body.RootElement.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(MediaTypes.OciIndex, body.RootElement.GetProperty("mediaType").GetString());
        Assert.Equal(0, body.RootElement.GetProperty("manifests").GetArrayLength());
    }

    [Fact]
    [Trait("Protocol", "D3.48")]
    public async Task Get_ShowsTypeSizeArtifactTypeAndAnnotations()
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["plain"] = "value", ["é\u0000\"\\"] = "日本\u0000\r\n\u2028<>", [""] = "",
        };
        var (own, fallback) = (RegistryClient.ImageJson([], subject, "application/x.own", annotations), RegistryClient.ImageJson([], subject));
        var subjectJson = Descriptor(MediaTypes.OciManifest, subject, 1);
        var index = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[],"subject":{{subjectJson}}}""";
        var typed = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","artifactType":"a/index","manifests":[],"subject":{{subjectJson}}}""";
        var digests = new List<string>();
        foreach (var json in (string[])[own, fallback, index, typed])
            digests.Add($"{await Client.PushManifestAsync(repository, null, json, json.Contains("manifests\":", StringComparison.Ordinal) ? MediaTypes.OciIndex : MediaTypes.OciManifest)}");

        var list = await Client.ReferrersAsync(repository, subject);

        Assert.Equal(digests.Order(StringComparer.Ordinal), list.Keys);
        AssertEntry(list[digests[0]], MediaTypes.OciManifest, own, "application/x.own");
        Assert.Equal(annotations, list[digests[0]].GetProperty("annotations").Deserialize<Dictionary<string, string>>());
        AssertEntry(list[digests[1]], MediaTypes.OciManifest, fallback, MediaTypes.OciConfig);
        AssertEntry(list[digests[2]], MediaTypes.OciIndex, index, null);
        Assert.False(list[digests[2]].TryGetProperty("annotations", out _));
        AssertEntry(list[digests[3]], MediaTypes.OciIndex, typed, "a/index");
    }

    [Fact]
    [Trait("Protocol", "D3.48")]
    public async Task Get_KeepsToItsRepository()
    {
        var (here, there) = (registry.NewRepository(), registry.NewRepository());
        var subject = Digest.Of("a subject in two repositories"u8);
        await Client.PushConfigAsync(there);
        await Client.PushManifestAsync(there, null, RegistryClient.ImageJson([], subject));

        Assert.Empty(await Client.ReferrersAsync(here, subject));
        Assert.Single(await Client.ReferrersAsync(there, subject));
    }

    [Theory]
    [Trait("Protocol", "D3.49")]
    [InlineData("application/x.a+json", 2)]
    [InlineData("application/x.b", 1)]
    [InlineData("application/x.missing", 0)]
    [InlineData("%'; DROP TABLE tags; --\uD83D\uDE00", 0)]
    public async Task Get_Filtered_SaysSoAndShowsThatTypeAlone(string type, int count)
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        foreach (var (artifactType, name) in ((string, string)[])[("application/x.a+json", "1"), ("application/x.a+json", "2"), ("application/x.b", "3")])
        {
            await Client.PushManifestAsync(repository, null,
                RegistryClient.ImageJson([], subject, artifactType, new Dictionary<string, string>(StringComparer.Ordinal) { ["n"] = name }));
        }

        using var get = await Client.GetAsync($"/v2/{repository}/referrers/{subject}?artifactType={Uri.EscapeDataString(type)}");

        get.AssertStatus(HttpStatusCode.OK);
        Assert.Equal("artifactType", get.RawHeader("OCI-Filters-Applied"));
        using var body = JsonDocument.Parse(await get.Content.ReadAsByteArrayAsync());
        var entries = body.RootElement.GetProperty("manifests");
        Assert.Equal(count, entries.GetArrayLength());
        Assert.All(entries.EnumerateArray(), entry => Assert.Equal(type, entry.GetProperty("artifactType").GetString()));
    }

    [Theory]
    [Trait("Protocol", "D3.49")]
    [Trait("Protocol", "D4.68")]
    [InlineData("artifactType")]
    [InlineData("last")]
    public async Task Get_ParameterWithNul_IsBadRequest(string parameter)
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        using var get = await Client.GetAsync($"/v2/{repository}/referrers/{subject}?{parameter}=a%00b");
        await get.AssertErrorAsync(HttpStatusCode.BadRequest, "UNSUPPORTED");
    }

    [Fact]
    [Trait("Protocol", "D3.49")]
    public async Task Get_Unfiltered_ClaimsNoFilter()
    {
        using var get = await Client.GetAsync($"/v2/{registry.NewRepository()}/referrers/{Digest.Of("x"u8)}");
        Assert.Null(get.RawHeader("OCI-Filters-Applied"));
        Assert.Null(get.RawHeader("Link"));
    }

    [Fact]
    [Trait("Protocol", "D3.49")]
    public async Task Get_ManyReferrers_ComeInPagesWithoutGapOrRepeat()
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        var pushed = new List<string>();
        for (var i = 0; i < 405; i++)
            pushed.Add((await Client.PushManifestAsync(repository, null, Attached(subject, i % 2 == 0 ? "a/even+x" : "a/odd", $"{i}"))).ToString());

        var all = await Client.FollowAsync($"/v2/{repository}/referrers/{subject}", "manifests");
        var even = await Client.FollowAsync($"/v2/{repository}/referrers/{subject}?artifactType=a%2Feven%2Bx", "manifests");

        Assert.Equal(3, all.Count);
        Assert.Equal(pushed.Order(StringComparer.Ordinal), Digests(all));
        Assert.Equal(2, even.Count);
        Assert.Equal(pushed.Where((_, i) => i % 2 == 0).Order(StringComparer.Ordinal), Digests(even));
    }

    [Fact]
    [Trait("Protocol", "D3.49")]
    public async Task Get_LargeAnnotations_EndPagesBeforeTheyOutgrowAManifest()
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        var pushed = new List<string>();
        foreach (var size in (int[])[600_000, 600_000, 600_000, 10, 3_900_000, 10])
            pushed.Add((await Client.PushManifestAsync(repository, null, Attached(subject, "a/b", $"{pushed.Count}", new string('x', size)))).ToString());

        var pages = await Client.FollowAsync($"/v2/{repository}/referrers/{subject}", "manifests");

        Assert.Equal(pushed.Order(StringComparer.Ordinal), Digests(pages));
        Assert.InRange(pages.Count, 3, 6);
        Assert.All(pages, page => Assert.NotEmpty(page));
    }

    [Fact]
    [Trait("Protocol", "D3.51")]
    public async Task Delete_OfTheSubject_LeavesReferrersThatCanStillBeListedAndDeleted()
    {
        var repository = registry.NewRepository();
        var subject = await Client.PushImageAsync(repository, "v1");
        var signature = await Client.PushManifestAsync(repository, null, Attached(subject, "a/signature", "1"));

        using (var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/{subject}")) delete.AssertStatus(HttpStatusCode.Accepted);
        Assert.Equal([signature.ToString()], (await Client.ReferrersAsync(repository, subject)).Keys);
        using (var pull = await Client.GetAsync($"/v2/{repository}/manifests/{signature}")) pull.AssertStatus(HttpStatusCode.OK);

        using (var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/{signature}")) delete.AssertStatus(HttpStatusCode.Accepted);
        Assert.Empty(await Client.ReferrersAsync(repository, subject));
    }

    private static string Attached(Digest subject, string artifactType, string name, string value = "") =>
        RegistryClient.ImageJson([], subject, artifactType, new Dictionary<string, string>(StringComparer.Ordinal) { [name] = value });

    private static IEnumerable<string> Digests(IEnumerable<List<JsonElement>> pages) =>
        pages.SelectMany(page => page).Select(entry => entry.GetProperty("digest").GetString()!);

    private static void AssertEntry(JsonElement entry, string mediaType, string json, string? artifactType)
    {
        Assert.Equal(mediaType, entry.GetProperty("mediaType").GetString());
        Assert.Equal(Encoding.UTF8.GetByteCount(json), entry.GetProperty("size").GetInt64());
        Assert.Equal(artifactType, entry.TryGetProperty("artifactType", out var type) ? type.GetString() : null);
    }
}
