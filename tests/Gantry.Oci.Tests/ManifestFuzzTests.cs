using System.Text;
using System.Text.Json.Nodes;

namespace Gantry.Oci.Tests;

/// <summary>Whatever is pushed, it is taken or refused; and what is taken keeps the promises of the contract.</summary>
public sealed class ManifestFuzzTests
{
    private const int Rounds = 20_000;

    /// <summary>Stands for an escape that the test's own JSON writer would refuse.</summary>
    private const string HalfPair = "half-pair";

    private static readonly string?[] ContentTypes =
    [
        null, "", "application/json", MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest,
        MediaTypes.DockerManifestList, MediaTypes.DockerSchema1, "application/vnd.example", " ", "a b", "\0",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "2", "1e400", "9223372036854775808", "\"\"", "\"x\"", $"\"{HalfPair}\"", "\"\\u0000\"", "[]", "{}",
        "[[]]", "[null]", "[{}]", "{\"a\":{}}", $"\"{SampleDocuments.Sha256}\"", SampleDocuments.Layer, $"[{SampleDocuments.Layer}]",
    ];

    private static readonly string[] Keys =
    [
        "schemaVersion", "mediaType", "artifactType", "config", "layers", "blobs", "manifests", "subject", "annotations",
        "fsLayers", "signatures", "digest", "size", "platform", "os", "Size", "data", "urls", "", "x\0", HalfPair,
    ];

    [Fact]
    public void Bytes_MutatedAtRandom_AreTakenOrRefused()
    {
        var samples = SampleDocuments.All.Select(Encoding.UTF8.GetBytes).ToArray();
        Run((random, _) => Fuzz.Mutate(
            random, samples[random.Next(samples.Length)], samples[random.Next(samples.Length)]));
    }

    [Fact]
    public void Documents_MutatedInStructure_AreTakenOrRefused()
    {
        var taken = Run((random, _) =>
        {
            var document = JsonNode.Parse(SampleDocuments.All[random.Next(SampleDocuments.All.Length)])!;
            for (var i = random.Next(1, 4); i > 0; i--) Mutate(random, document);
            return Encoding.UTF8.GetBytes(document.ToJsonString().Replace(HalfPair, "\\ud800"));
        });
        Assert.InRange(taken, Rounds / 100, Rounds); // the fuzz reaches past the first check
    }

    [Fact]
    public void Noise_IsTakenOrRefused() =>
        Run((random, _) => Encoding.UTF8.GetBytes(Fuzz.Word(random, 60, [.. Values, .. Keys.Select(k => $"\"{k}\":"), "{", "}", ","])));

    private static int Run(Func<Random, int, byte[]> next)
    {
        var seed = Fuzz.NewSeed();
        var random = new Random(seed);
        var taken = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var content = next(random, round);
            var contentType = ContentTypes[random.Next(ContentTypes.Length)];
            try
            {
                CheckPromises(ManifestDocument.Parse(content, contentType), contentType);
                taken++;
            }
            catch (OciException refusal) when (refusal.Code == OciErrorCode.ManifestInvalid && refusal.Detail is { Length: < 300 })
            {
                continue;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}, Content-Type {contentType}: {Encoding.UTF8.GetString(content)}\n{e}");
            }
        }

        return taken;
    }

    private static void CheckPromises(ManifestDocument document, string? contentType)
    {
        var isIndex = document.Kind == ManifestKind.Index;
        Assert.DoesNotContain(document.MediaType, c => c is <= ' ' or > '~');
        if (isIndex) Assert.True(document.Config is null && document.Layers.Count == 0);
        else Assert.Empty(document.Manifests);
        if (MediaTypes.IsIndex(document.MediaType)) Assert.True(isIndex);
        if (MediaTypes.IsManifest(document.MediaType)) Assert.True(!isIndex && document.Config is not null);
        if (contentType?.Contains("vnd.", StringComparison.Ordinal) == true) Assert.Equal(contentType, document.MediaType);

        Descriptor?[] descriptors = [document.Config, document.Subject, .. document.Layers, .. document.Manifests];
        foreach (var descriptor in descriptors.OfType<Descriptor>())
        {
            Assert.True(Digest.TryParse(descriptor.Digest.ToString(), out _));
            Assert.True(descriptor.Size >= 0);
            Assert.DoesNotContain(descriptor.MediaType, c => c is < ' ' or > '~');
        }
    }

    private static void Mutate(Random random, JsonNode document)
    {
        var nodes = Descendants(document).ToArray();
        var value = JsonNode.Parse(Values[random.Next(Values.Length)]);
        switch (nodes[random.Next(nodes.Length)])
        {
            case JsonObject target when random.Next(3) == 0 && target.Count > 0:
                target.Remove(target.ElementAt(random.Next(target.Count)).Key);
                break;
            case JsonObject target:
                target[target.Count > 0 && random.Next(2) == 0
                    ? target.ElementAt(random.Next(target.Count)).Key
                    : Keys[random.Next(Keys.Length)]] = value;
                break;
            case JsonArray target:
                target.Insert(random.Next(target.Count + 1), value);
                break;
        }
    }

    private static IEnumerable<JsonNode> Descendants(JsonNode node)
    {
        yield return node;
        var children = node switch
        {
            JsonObject item => item.Select(field => field.Value),
            JsonArray list => list,
            _ => [],
        };
        foreach (var child in children.OfType<JsonNode>().SelectMany(Descendants)) yield return child;
    }
}
