using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.Core.Push;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Browse;

[Trait("Speed", "Slow")]
public sealed class ManifestDetailsTests : IAsyncLifetime
{
    private const string History =
        """
        {"os":"linux","architecture":"amd64","author":"somebody","config":{"User":"nobody","Env":["A=b"],"Labels":{"l":"v"},"ExposedPorts":{"80/tcp":{}},"Cmd":["run"]},
         "history":[{"created_by":"ADD base"},{"created_by":"ENV A=b","empty_layer":true},{"created_by":"COPY app"},{"created_by":"and more"}]}
        """;

    private static readonly RepositoryName Repository = RepositoryName.Parse("team/app");
    private CollectedRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await CollectedRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Image_IsTold_WithItsHistoryBesideItsLayers()
    {
        var image = await _registry.PushImageOfAsync("team/app", "latest", History, "base", "app");
        var payload = (await _registry.FindManifestAsync("team/app", "latest"))!.Payload!;
        await _registry.Get<ManifestPush>().PushAsync(Repository,
            new ManifestToPush(image, payload, ManifestDocument.Parse(payload, null), [TagName.Parse("again")]), new Actor("ann", null, null), default);
        await _registry.FollowAsync();

        var detail = (await FindAsync("latest"))!;

        Assert.Equal((image, MediaTypes.OciManifest, payload.Length + History.Length + 7), (detail.Digest, detail.MediaType, detail.Size));
        Assert.Equal(payload, detail.Payload);
        Assert.Equal(("linux/amd64", "nobody", "v"), (detail.Image!.Platform, detail.Image.User, detail.Image.Labels["l"]));
        Assert.Equal([("ADD base", 4L), ("ENV A=b", null), ("COPY app", 3L), ("and more", null)], detail.Steps.Select(step => (step.History?.CreatedBy, step.Layer?.Size)));
        Assert.Equal([0, null, 1, null], detail.Steps.Select(step => step.LayerNumber));
        Assert.Equal(["again", "latest"], detail.Tags.Select(tag => tag.ToString()));
        Assert.Equal(("ann", true), (detail.PushedBy, detail.PushedAt > detail.FirstPushedAt));
        Assert.Equivalent(detail, await FindAsync($"{image}"));
    }

    [Fact]
    public async Task Index_IsTold_WithWhatItNames()
    {
        var image = await _registry.PushImageOfAsync("team/app", null, Browsing.Config("linux", "arm64", "v8"), "base");
        var proof = await _registry.PushImageOfAsync("team/app", null, "{}", "proof");
        await _registry.PushManifestAsync("team/app", "latest",
            $$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","annotations":{"a":"b"},"manifests":[
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{image}}}","size":1},
              {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{proof}}}","size":1,"platform":{"os":"unknown","architecture":"unknown"},
               "annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{{{image}}}"}}]}
            """, MediaTypes.OciIndex);
        await _registry.FollowAsync();
        await _registry.Get<ManifestFacts>().MakeDueAsync(default);

        var detail = (await FindAsync("latest"))!;

        Assert.Equal([("linux/arm64/v8", true, null), (null, true, image)], detail.Children.Select(child => (child.Platform, child.IsThere, child.AttestationOf)));
        Assert.All(detail.Children, child => Assert.NotNull(child.Size));
        Assert.Equal("b", detail.Document!.Annotations!["a"]);
        Assert.Empty(detail.Steps);
    }

    [Fact]
    public async Task WhatIsHidden_IsNotFound()
    {
        var image = await _registry.PushImageAsync("team/app", "latest", "base");
        await _registry.DeleteManifestAsync("team/app", image);

        Assert.Equal((null, null), (await FindAsync("latest"), await FindAsync($"{image}")));
        Assert.Null(await _registry.Get<ManifestDetails>().FindAsync(RepositoryName.Parse("team/none"), TagName.Parse("latest"), default));
    }

    [Fact]
    public async Task Referrers_AreATree_OfSubjectsAndTags()
    {
        var image = await _registry.PushImageAsync("team/app", "latest", "base");
        var sbom = await _registry.PushReferrerAsync("team/app", null, image, "sbom");
        await _registry.PushReferrerAsync("team/app", null, sbom, "signature-of-sbom");
        var hidden = await _registry.PushReferrerAsync("team/app", null, image, "hidden");
        await _registry.DeleteManifestAsync("team/app", hidden);
        // The schemes from before: an index under the fallback tag, and cosign's tags, one of which names its own subject.
        var listed = await _registry.PushImageAsync("team/app", null, "listed");
        await _registry.PushIndexAsync("team/app", $"sha256-{image.Hex}", listed, sbom);
        var cosign = await _registry.PushImageAsync("team/app", $"sha256-{image.Hex}.sig", "cosign");
        await _registry.PushImageAsync("team/app", $"sha256-{cosign.Hex}.sig", "base");

        var tree = (await _registry.Get<ReferrerTree>().ReadAsync(Repository, image, default))!;

        Assert.True(tree.IsWhole);
        Assert.Equal(new[] { sbom, listed, cosign }.Order(), tree.Referrers.Select(node => node.Digest).Order());
        var node = tree.Referrers.Single(one => one.Digest == sbom);
        Assert.Equal(("application/x.sbom", null, "sbom"), (node.ArtifactType, node.Tag, node.Annotations!["name"]));
        Assert.Equal("application/x.signature-of-sbom", Assert.Single(node.Referrers).ArtifactType);
        Assert.Empty(tree.Referrers.Single(one => one.Digest == cosign).Referrers);
    }

    /// <summary>As BuildKit pushes them: found from the image by its digest, and from the index; not those of another image, nor where the index is hidden.</summary>
    [Fact]
    public async Task Referrers_HaveTheAttestationsOfAnIndex()
    {
        var (one, other) = (await _registry.PushImageAsync("team/app", null, "one"), await _registry.PushImageAsync("team/app", null, "other"));
        var attestation = await PushAttestationAsync("statement", "https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2");
        var empty = await PushAttestationAsync("nothing");
        var signature = await _registry.PushReferrerAsync("team/app", null, attestation, "signature");
        var index = await _registry.PushManifestAsync("team/app", "latest", AttestedIndex((one, null), (other, null), (attestation, one), (empty, other)), MediaTypes.OciIndex);
        var signed = await _registry.PushReferrerAsync("team/app", null, index, "signature");

        var node = Assert.Single((await ReadAsync(one)).Referrers);
        Assert.Equal((attestation, one, index), (node.Digest, node.Subject, node.Index));
        Assert.Equal(["https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2"], node.Predicates);
        Assert.Equal(signature, Assert.Single(node.Referrers).Digest);
        Assert.Empty(Assert.Single((await ReadAsync(other)).Referrers).Predicates);
        Assert.Equal(new[] { (attestation, one), (empty, other), (signed, index) }.Order(), (await ReadAsync(index)).Referrers.Select(of => (of.Digest, of.Subject)).Order());

        await _registry.DeleteManifestAsync("team/app", index);
        Assert.Empty((await ReadAsync(one)).Referrers);
    }

    [Fact]
    public async Task Referrers_OfAnImageThatIsInVeryManyIndexes_AreThoseOfSome_AndSaySo()
    {
        var image = await _registry.PushImageAsync("team/app", null, "one");
        for (var number = 0; number < Attestations.MostIndexes; number++)
            await _registry.PushManifestAsync("team/app", null, AttestedIndex((image, null), (await PushAttestationAsync($"{number}"), image)), MediaTypes.OciIndex);
        Assert.Equal((Attestations.MostIndexes, true), await CountAsync());
        await _registry.PushManifestAsync("team/app", null, AttestedIndex((image, null), (await PushAttestationAsync("more"), image)), MediaTypes.OciIndex);
        Assert.Equal((Attestations.MostIndexes, false), await CountAsync());

        async Task<(int, bool)> CountAsync() => await ReadAsync(image) is var tree ? (tree.Referrers.Count, tree.IsWhole) : default;
    }

    [Fact]
    public async Task Referrers_BeyondTheBounds_AreLeftOut()
    {
        var image = await _registry.PushImageAsync("team/app", "latest", "base");
        var last = image;
        for (var depth = 0; depth < ReferrerTree.MostLevels; depth++) last = await _registry.PushReferrerAsync("team/app", null, last, $"deep{depth}");
        Assert.True((await ReadAsync(image)).IsWhole);
        last = await _registry.PushReferrerAsync("team/app", null, last, "too-deep");
        var tree = await ReadAsync(image);
        Assert.False(tree.IsWhole);
        Assert.Equal(ReferrerTree.MostLevels, Depth(tree.Referrers));

        await _registry.ScalarAsync<object>(
            $"""
             INSERT INTO manifests (repository_id, digest, media_type, subject_digest, payload)
             SELECT 1, 'sha256:' || encode(sha256(i::text::bytea), 'hex'), 'm', '{image}', '' FROM generate_series(1, {ReferrerTree.MostNodes + 5}) i
             """);
        tree = await ReadAsync(image);
        Assert.Equal((ReferrerTree.MostNodes, false), (tree.Referrers.Count, tree.IsWhole));
        Assert.Equal(tree.Referrers[^1].Digest, tree.Next);
    }

    [Fact]
    public async Task Referrers_ByPages_AreAllThereOnce()
    {
        var image = await _registry.PushImageAsync("team/app", "latest", "base");
        var all = new List<Digest>();
        for (var i = 0; i < 5; i++) all.Add(await _registry.PushReferrerAsync("team/app", null, image, $"sbom{i}"));
        var below = await _registry.PushReferrerAsync("team/app", null, all[0], "signature");
        // Each refers there twice: by itself, and by the tag from before.
        await _registry.PushIndexAsync("team/app", $"sha256-{image.Hex}", [.. all]);

        var (pages, after) = (new List<ReferrerForest>(), (Digest?)null);
        do pages.Add((await _registry.Get<ReferrerTree>().PageAsync(Repository, image, after, 2, default))!);
        while ((after = pages[^1].Next) is not null && pages.Count < 9);

        Assert.Equal([2, 2, 1], pages.Select(page => page.Referrers.Count));
        Assert.Equal(all.Order(), pages.SelectMany(page => page.Referrers).Select(node => node.Digest));
        Assert.Equal([false, false, true], pages.Select(page => page.IsWhole));
        Assert.Equal([below], pages.SelectMany(page => page.Referrers).SelectMany(node => node.Referrers).Select(node => node.Digest));
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("[", -1)]
    [InlineData("7", -1)]
    [InlineData("""{"history":[{"created_by":"\ud800","created":"99999-01-01"},7,{"empty_layer":"yes"}]}""", 2)]
    [InlineData("""{"config":{"Labels":{"\ud800":"x","a":7},"Env":[1,"A=b",null]}}""", 0)]
    public void Config_ThatIsHostile_IsReadAsFarAsItGoes(string json, int steps)
    {
        var config = ImageConfigReader.Read(System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Equal(steps, config?.History.Count ?? -1);
        Assert.All(config?.Env ?? [], entry => Assert.Equal("A=b", entry));
    }

    [Fact]
    public void Config_WithMoreThanAnybodyLooksAt_IsCut()
    {
        var json = $$"""{"history":[{{string.Join(',', Enumerable.Repeat("{}", ImageConfigReader.MostItems + 1))}}]}""";
        Assert.Equal(ImageConfigReader.MostItems, ImageConfigReader.Read(System.Text.Encoding.UTF8.GetBytes(json))!.History.Count);
        Assert.Null(ImageConfigReader.Read(new byte[ImageConfigReader.MaxBytes + 1]));
        Assert.Null(ImageConfigReader.Read("{\"os\":\"\xff"u8.ToArray()));
    }

    private async Task<ReferrerForest> ReadAsync(Digest subject) => (await _registry.Get<ReferrerTree>().ReadAsync(Repository, subject, default))!;

    private async Task<Digest> PushAttestationAsync(string statement, params string[] predicates)
    {
        foreach (var content in new[] { "{}", statement }) await _registry.PushBlobAsync("team/app", content);
        Dictionary<string, object> Layer(string predicate)
        {
            var layer = Browsing.Descriptor(statement, "application/vnd.in-toto+json");
            layer["annotations"] = new Dictionary<string, string> { ["in-toto.io/predicate-type"] = predicate };
            return layer;
        }

        return await _registry.PushManifestAsync("team/app", null, System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = Browsing.Descriptor("{}", MediaTypes.OciConfig),
            ["layers"] = predicates.Length == 0 ? [Browsing.Descriptor(statement, "application/vnd.in-toto+json")] : predicates.Select(Layer).ToArray(),
        }));
    }

    /// <summary>Entries are images, or attestations of one.</summary>
    private static string AttestedIndex(params (Digest Digest, Digest? Of)[] entries) => System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex,
        ["manifests"] = entries.Select(entry => new Dictionary<string, object>
        {
            ["mediaType"] = MediaTypes.OciManifest, ["digest"] = $"{entry.Digest}", ["size"] = 1,
            ["annotations"] = entry.Of is { } of
                ? new Dictionary<string, string> { ["vnd.docker.reference.type"] = "attestation-manifest", ["vnd.docker.reference.digest"] = $"{of}" } : [],
        }).ToArray(),
    });

    private static int Depth(IReadOnlyList<ReferrerNode> nodes) => nodes.Count == 0 ? 0 : 1 + nodes.Max(node => Depth(node.Referrers));

    private Task<ManifestDetail?> FindAsync(string reference) =>
        _registry.Get<ManifestDetails>().FindAsync(Repository, Reference.TryParse(reference, out var parsed) ? parsed : default, default);
}
