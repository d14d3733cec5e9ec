using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>Artifacts, their referrers, and the request sequences of oras and helm.</summary>
public sealed class ArtifactTests(Lab lab)
{
    [Fact]
    [Trait("Protocol", "D3.47")]
    [Trait("Protocol", "D3.48")]
    public async Task Skopeo_CopiesReferrers_AndTheRegistryListsThem()
    {
        await lab.SkopeoAsync();
        var subject = await lab.SeedAsync("artifact", "artifacts/tiny", "latest");
        foreach (var tag in (string[])["sbom", "signature", "sbom-signature", "plain"])
            await lab.SeedAsync("artifact", "artifacts/tiny", tag, from: tag);
        using var http = lab.Registry.Http();
        var all = await http.GetFromJsonAsync<JsonNode>($"/v2/artifacts/tiny/referrers/{subject}");
        var sboms = await http.GetFromJsonAsync<JsonNode>(
            $"/v2/artifacts/tiny/referrers/{subject}?artifactType=application/spdx%2Bjson");
        var nested = await http.GetFromJsonAsync<JsonNode>(
            $"/v2/artifacts/tiny/referrers/{lab.Images.Digest("artifact", "sbom")}");

        Assert.Equal(2, all!["manifests"]!.AsArray().Count);
        Assert.Equal(lab.Images.Digest("artifact", "sbom"), sboms!["manifests"]!.AsArray().Single()!["digest"]!.GetValue<string>());
        Assert.Equal("application/vnd.gantry.signature.v1+json", nested!["manifests"]![0]!["artifactType"]!.GetValue<string>());
    }

    [Fact]
    [Trait("Protocol", "D1.6")]
    [Trait("Protocol", "D2.19")]
    [Trait("Protocol", "D3.46")]
    public async Task OrasSequence_PushesAttachesDiscoversAndPulls()
    {
        Lab.Say("drives the request sequence of oras-go 2");
        using var oras = new TokenSession(lab.Registry, oauth2: true);
        var image = await ArtifactPush.RunAsync(oras, "artifacts/oras", "v1", "application/vnd.example.config", "the artifact", subject: null);
        var attached = await ArtifactPush.RunAsync(oras, "artifacts/oras", null, "application/vnd.example.sbom", "the sbom", image);

        using var found = await oras.SendAsync(HttpMethod.Get,
            $"/v2/artifacts/oras/referrers/{Text(image, "digest")}?artifactType=application%2Fvnd.example.sbom");
        var index = await found.Content.ReadFromJsonAsync<JsonNode>();
        using var head = await oras.SendAsync(HttpMethod.Head, "/v2/artifacts/oras/manifests/v1", accept: ManifestTypes.All);
        using var manifest = await oras.SendAsync(HttpMethod.Get, "/v2/artifacts/oras/manifests/v1", accept: ManifestTypes.All);
        var layer = (await manifest.Content.ReadFromJsonAsync<JsonNode>())!["layers"]![0]!;
        using var blob = await oras.SendAsync(HttpMethod.Get, $"/v2/artifacts/oras/blobs/{Text(layer, "digest")}");

        Assert.Equal(Text(attached, "digest"), Text(index!["manifests"]!.AsArray().Single()!, "digest"));
        Assert.Equal("application/vnd.oci.image.index.v1+json", found.Content.Headers.ContentType!.ToString());
        Assert.Equal(ManifestTypes.OciManifest, head.Content.Headers.ContentType!.ToString());
        Assert.Equal(image["size"]!.GetValue<int>(), head.Content.Headers.ContentLength);
        Assert.Equal("the artifact", await blob.Content.ReadAsStringAsync());
        Assert.All(oras.Challenges, challenge => Assert.Contains("scope=\"repository:artifacts/oras:", challenge));
    }

    [Fact]
    [Trait("Protocol", "D1.9")]
    public async Task HelmSequence_AsksForPullFirstAndThenForPush()
    {
        Lab.Say("drives the request sequence of helm 3.18");
        using var helm = new TokenSession(lab.Registry, oauth2: false);
        // The repository does not exist yet: the first token is for pull alone, and the answer is 404, not a refusal.
        using var head = await helm.SendAsync(HttpMethod.Head, "/v2/charts/hello/manifests/0.1.0", accept: ManifestTypes.All);
        var chart = await ArtifactPush.RunAsync(helm, "charts/hello", "0.1.0", "application/vnd.cncf.helm.config.v1+json", "a chart", null);
        using var pulled = await helm.SendAsync(HttpMethod.Get, "/v2/charts/hello/manifests/0.1.0", accept: ManifestTypes.All);
        using var tags = await helm.SendAsync(HttpMethod.Get, "/v2/charts/hello/tags/list");

        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        Assert.Equal(Text(chart, "digest"), pulled.Headers.GetValues("Docker-Content-Digest").Single());
        Assert.Equal("""["0.1.0"]""", (await tags.Content.ReadFromJsonAsync<JsonNode>())!["tags"]!.ToJsonString());
        Assert.Equal(2, helm.Challenges.Count);
    }

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
