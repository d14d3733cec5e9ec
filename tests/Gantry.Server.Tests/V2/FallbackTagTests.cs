using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.ManifestCalls;

namespace Gantry.Server.Tests.V2;

/// <summary>
/// Repositories copied from a registry without a referrers listing hold their referrers in an index under a fallback tag
/// (distribution-spec, "Referrers Tag Schema").
/// </summary>
[Trait("Protocol", "D3.50")]
public sealed class FallbackTagTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public async Task Get_AdoptsWhatTheFallbackTagLists(DigestAlgorithm algorithm)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var subject = Digest.Of("the subject"u8, algorithm);
        var referrer = await PushReferrerAsync(repository, subject: null, "application/x.real", "real");

        // As ggcr writes it: no artifactType, no annotations; others write wrong ones.
        var bare = Descriptor(MediaTypes.OciManifest, referrer, 1);
        await PushFallbackAsync(repository, subject, bare);
        await AssertAdoptedAsync(repository, subject, referrer);

        var wrong = Descriptor(MediaTypes.OciManifest, referrer, 77, ",\"artifactType\":\"a/wrong\",\"annotations\":{\"w\":\"wrong\"}");
        await PushFallbackAsync(repository, subject, wrong);
        await AssertAdoptedAsync(repository, subject, referrer);
    }

    [Fact]
    public async Task Get_FromBothSources_ListsEachOnce()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var subject = Digest.Of("another subject"u8);
        var both = await PushReferrerAsync(repository, subject, "application/x.real", "real");
        var tagged = await PushReferrerAsync(repository, null, "application/x.other", "other");
        var listed = await PushReferrerAsync(repository, subject, "application/x.third", "third");
        await PushFallbackAsync(repository, subject, Descriptor(MediaTypes.OciManifest, both, 1), Descriptor(MediaTypes.OciManifest, tagged, 1));

        var list = await Client.ReferrersAsync(repository, subject);

        string[] all = [both.ToString(), tagged.ToString(), listed.ToString()];
        Assert.Equal(all.Order(StringComparer.Ordinal), list.Keys);
        var other = await Client.GetJsonAsync($"/v2/{repository}/referrers/{subject}?artifactType=application/x.other", MediaTypes.OciIndex);
        Assert.Equal(tagged.ToString(), Assert.Single(other.GetProperty("manifests").EnumerateArray()).GetProperty("digest").GetString());
    }

    [Fact]
    public async Task Get_IndexWithoutArtifactType_OmitsItWhateverTheFallbackSays()
    {
        var repository = registry.NewRepository();
        var subject = Digest.Of("a third subject"u8);
        var index = await Client.PushManifestAsync(repository, null, RegistryClient.IndexJson(), MediaTypes.OciIndex);
        await PushFallbackAsync(repository, subject, Descriptor(MediaTypes.OciIndex, index, 1, ",\"artifactType\":\"a/wrong\""));

        var entry = Assert.Single(await Client.ReferrersAsync(repository, subject)).Value;

        Assert.False(entry.TryGetProperty("artifactType", out _));
    }

    [Fact]
    public async Task Get_AfterTheFallbackTagIsGone_ListsItsManifestsNoMore()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var subject = Digest.Of("a fourth subject"u8);
        var referrer = await PushReferrerAsync(repository, null, "application/x.real", "real");
        await PushFallbackAsync(repository, subject, Descriptor(MediaTypes.OciManifest, referrer, 1));

        using (await Client.DeleteAsync($"/v2/{repository}/manifests/sha256-{subject.Hex}"))
            Assert.Empty(await Client.ReferrersAsync(repository, subject));
    }

    [Fact]
    public async Task Get_CosignsTagsAndImagesUnderTheFallbackTag_AreNoReferrers()
    {
        var repository = registry.NewRepository();
        var subject = Digest.Of("a fifth subject"u8);
        await Client.PushImageAsync(repository, $"sha256-{subject.Hex}.sig");
        await Client.PushImageAsync(repository, $"sha256-{subject.Hex}", "an image, no index"u8.ToArray());

        Assert.Empty(await Client.ReferrersAsync(repository, subject));
    }

    private Task<Digest> PushReferrerAsync(string repository, Digest? subject, string artifactType, string name) =>
        Client.PushManifestAsync(repository, null, RegistryClient.ImageJson([], subject, artifactType,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = name }));

    // The tag cuts the hex at 64 characters, which matters for sha512.
    private Task<Digest> PushFallbackAsync(string repository, Digest subject, params string[] descriptors) =>
        Client.PushManifestAsync(repository, $"{subject.Algorithm.Name()}-{subject.Hex[..64]}",
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', descriptors)}}]}""", MediaTypes.OciIndex);

    private async Task AssertAdoptedAsync(string repository, Digest subject, Digest referrer)
    {
        var (digest, entry) = Assert.Single(await Client.ReferrersAsync(repository, subject));
        Assert.Equal(referrer.ToString(), digest);
        Assert.Equal("application/x.real", entry.GetProperty("artifactType").GetString());
        Assert.Equal("real", Assert.Single(entry.GetProperty("annotations").EnumerateObject()).Value.GetString());
        Assert.Equal((await Client.GetByteArrayAsync($"/v2/{repository}/manifests/{referrer}")).Length, entry.GetProperty("size").GetInt32());
    }
}
