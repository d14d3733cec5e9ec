using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Images;

/// <summary>Indexes in memory: which manifest is chosen.</summary>
public sealed class ImageResolutionTests
{
    private readonly Dictionary<Digest, (byte[] Content, string MediaType)> _content = [];

    [Fact]
    [Trait("Pull", "B96")]
    public async Task Resolve_OfIndex_TakesTheBestFitAndOfEqualOnesTheFirst()
    {
        var index = Index(Entry("a", "linux/386"), Entry("b", "linux/amd64"), Entry("c", "linux/amd64/v3"), Entry("d", "linux/amd64/v2"), Entry("e", "linux/amd64"));
        Assert.Equal("c", await ChosenAsync(index, "linux/amd64/v3"));
        Assert.Equal("d", await ChosenAsync(index, "linux/amd64/v2"));
        Assert.Equal("b", await ChosenAsync(index, "linux/amd64"));
        Assert.Equal("a", await ChosenAsync(index, "linux/386"));
    }

    [Fact]
    [Trait("Pull", "B98")]
    [Trait("Pull", "B94")]
    [Trait("Pull", "B99")]
    public async Task Resolve_PassesOverAttestationsFeaturesAndStrangers()
    {
        var lazy = Entry("lazy", "linux/amd64");
        lazy["platform"]!["os.features"] = new JsonArray("nydus.remoteimage.v1");
        var stranger = Entry("stranger", "linux/amd64");
        stranger["mediaType"] = "application/vnd.example.thing";
        var index = Index(Entry("attestation", "unknown/unknown"), lazy, stranger, Entry("image", "linux/amd64"));
        Assert.Equal("image", await ChosenAsync(index, "linux/amd64"));
    }

    [Fact]
    [Trait("Pull", "B97")]
    public async Task Resolve_WithoutPlatforms_AsksTheConfigs()
    {
        var index = Index(Entry("arm", null, "linux/arm64"), Entry("amd", null, "linux/amd64"));
        Assert.Equal("amd", await ChosenAsync(index, "linux/amd64"));
        Assert.Equal("named", await ChosenAsync(Index(Entry("amd", null, "linux/amd64"), Entry("named", "linux/amd64")), "linux/amd64"));
    }

    [Fact]
    [Trait("Pull", "B93")]
    public async Task Resolve_OfNestedIndexes_FindsTheManifestDownToTheLimit()
    {
        var index = Index(Entry("deep", "linux/amd64"));
        for (var depth = 1; depth < 4; depth++) index = Index(Nested(index));
        var image = await ResolveAsync(index, "linux/amd64");
        Assert.Equal("deep", image.Config!.Author);
        Assert.Equal(4, image.Indexes.Count);

        var tooDeep = await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(Index(Nested(index)), "linux/amd64"));
        Assert.Equal(EngineFault.TooLarge, tooDeep.Fault);
    }

    [Fact]
    [Trait("Pull", "B93")]
    public async Task Resolve_OfTooManyManifests_IsRefused()
    {
        var wide = Index(Enumerable.Range(0, 1001).Select(_ => Entry("x", "linux/arm64")).ToArray());
        Assert.Equal(EngineFault.TooLarge, (await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(wide, "linux/amd64"))).Fault);
    }

    [Fact]
    public async Task Resolve_WithoutAFit_SaysWhatThereIs()
    {
        var refusal = await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(Index(Entry("a", "linux/s390x"), Entry("b", "linux/ppc64le")), "linux/amd64"));
        Assert.Equal(EngineFault.NotFound, refusal.Fault);
        Assert.Contains("linux/s390x, linux/ppc64le", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Pull", "B101")]
    public async Task Resolve_OfSingleManifestForAnotherPlatform_WarnsOrRefusesWherePlatformWasGiven()
    {
        var manifest = Manifest("single", "linux/s390x");
        var image = await ResolveAsync(manifest, null);
        Assert.Contains("linux/s390x", image.Warning, StringComparison.Ordinal);
        Assert.Equal(EngineFault.NotFound, (await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(manifest, "linux/amd64"))).Fault);
        Assert.Null((await ResolveAsync(manifest, "linux/s390x")).Warning);
    }

    [Fact]
    [Trait("Pull", "B102")]
    public async Task Resolve_OfArtifact_SaysThatItIsNoContainerImage()
    {
        var artifact = Put($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor("{}"u8.ToArray(), MediaTypes.OciEmpty)}},"layers":[]}""", MediaTypes.OciManifest);
        var image = await ResolveAsync(artifact, null);
        Assert.Contains("not a container image", image.WhyNotUnpacked, StringComparison.Ordinal);
        Assert.Null(image.Config);
    }

    [Fact]
    [Trait("Pull", "B100")]
    public async Task Resolve_OfWindowsImage_IsNotUnpacked() =>
        Assert.Contains("windows", (await ResolveAsync(Manifest("w", "windows/amd64"), "windows/amd64")).WhyNotUnpacked, StringComparison.Ordinal);

    [Fact]
    [Trait("Pull", "B85")]
    [Trait("Pull", "C83")]
    public async Task Resolve_WithOtherNumberOfDiffIds_IsRefused()
    {
        var manifest = Manifest("x", "linux/amd64", diffIds: 1);
        Assert.Equal(EngineFault.InvalidDocument, (await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(manifest, null))).Fault);
    }

    [Fact]
    [Trait("Pull", "B103")]
    public async Task Resolve_OfImageWithoutLayers_IsAnImage() =>
        Assert.Null((await ResolveAsync(Manifest("empty", "linux/amd64"), "linux/amd64")).WhyNotUnpacked);

    [Theory]
    [Trait("Pull", "B93")]
    [Trait("Pull", "C82")]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public async Task Resolve_OfLargeIndexesWithinAnIndex_IsBoundedByTheirBytes(int count, bool isAllowed)
    {
        var nested = Enumerable.Range(0, count).Select(number => Nested(Index(new JsonObject { ["mediaType"] = $"application/x.{number}{new string('y', 200)}",
            ["digest"] = Digest.Of([]).ToString(), ["size"] = 0, ["annotations"] = new JsonObject { ["a"] = new string('x', 4_000_000) } }))).ToArray();
        var refusal = await Assert.ThrowsAsync<EngineException>(() => ResolveAsync(Index(nested), "linux/amd64"));
        Assert.Equal(isAllowed ? EngineFault.NotFound : EngineFault.TooLarge, refusal.Fault);
    }

    private async Task<string> ChosenAsync((byte[], string) top, string platform) => (await ResolveAsync(top, platform)).Config!.Author!;

    private Task<ResolvedImage> ResolveAsync((byte[] Content, string MediaType) top, string? platform)
    {
        ImagePlatform? wanted = null;
        if (platform is not null) Assert.True(ImagePlatform.TryParse(platform, out wanted));
        var resolution = new ImageResolution(
            (reference, _) => Task.FromResult(ImageDocument.Read(_content[reference.Digest].Content, reference.Digest, reference.Descriptor.MediaType)),
            (reference, _) => Task.FromResult(ImageConfigReader.Read(_content[reference.Digest].Content)));
        return resolution.ResolveAsync(ImageDocument.Read(top.Content, Digest.Of(top.Content), top.MediaType), wanted, TestContext.Current.CancellationToken);
    }

    private (byte[] Content, string MediaType) Manifest(string author, string platform, int diffIds = 0)
    {
        var parts = platform.Split('/');
        var ids = string.Join(',', Enumerable.Repeat($"\"{Digest.Of([])}\"", diffIds));
        var config = Put($$$"""{"author":"{{{author}}}","os":"{{{parts[0]}}}","architecture":"{{{parts[1]}}}","rootfs":{"type":"layers","diff_ids":[{{{ids}}}]}}""", MediaTypes.OciConfig);
        return Put($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor(config.Content, MediaTypes.OciConfig)}},"layers":[]}""", MediaTypes.OciManifest);
    }

    private JsonObject Entry(string author, string? platform, string? configPlatform = null)
    {
        var entry = Descriptor(Manifest(author, configPlatform ?? platform!).Content, MediaTypes.OciManifest);
        if (platform?.Split('/') is not { } parts) return entry;
        entry["platform"] = new JsonObject { ["os"] = parts[0], ["architecture"] = parts[1] };
        if (parts.Length > 2) entry["platform"]!["variant"] = parts[2];
        return entry;
    }

    private static JsonObject Nested((byte[] Content, string MediaType) index) => Descriptor(index.Content, index.MediaType);

    private (byte[] Content, string MediaType) Index(params JsonObject[] entries) => Put(new JsonObject
    {
        ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray([.. entries.Select(entry => entry.DeepClone())]),
    }.ToJsonString(), MediaTypes.OciIndex);

    private static JsonObject Descriptor(byte[] content, string mediaType) =>
        new() { ["mediaType"] = mediaType, ["digest"] = Digest.Of(content).ToString(), ["size"] = content.Length };

    private (byte[] Content, string MediaType) Put(string json, string mediaType)
    {
        var content = Encoding.UTF8.GetBytes(json);
        _content[Digest.Of(content)] = (content, mediaType);
        return (content, mediaType);
    }
}
