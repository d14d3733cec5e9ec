using System.Net;
using System.Text;
using Gantry.Oci;

namespace Gantry.TestKit;

/// <summary>Every kind of request under <c>/v2</c>, once, on the large repository of a <see cref="ScaleDatabase"/>.</summary>
public sealed class ScaleRequests(HttpClient client, ScaleDatabase scale)
{
    private const string Repository = ScaleDatabase.Large;
    private int _round;

    /// <summary>May be called again: what it writes is new each time.</summary>
    public async Task RunAsync()
    {
        var round = ++_round;
        await AskAsync(HttpMethod.Get, "/v2/", HttpStatusCode.OK);
        var digest = await ReadAsync(round);
        await UploadAsync(round);
        await PushAsync(round, digest);
        await RemoveAsync(round);
    }

    private async Task<string> ReadAsync(int round)
    {
        var middle = scale.Tags / 2 + round;
        var digest = (await AskAsync(HttpMethod.Head, $"/v2/{Repository}/manifests/t{middle}", HttpStatusCode.OK)).Digest!;
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/t{middle}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/{digest}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Head, $"/v2/{Repository}/manifests/{digest}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/none", HttpStatusCode.NotFound);
        await AskAsync(HttpMethod.Head, $"/v2/{Repository}/blobs/{ScaleDatabase.Blob(scale.Blobs / 2 + round)}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/tags/list?n=1000", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/tags/list?n=100&last=t{middle}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/referrers/{digest}", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/referrers/{digest}?artifactType=application/x.signature", HttpStatusCode.OK);
        await AskAsync(HttpMethod.Get, "/v2/_catalog?n=100", HttpStatusCode.OK);
        return digest;
    }

    private async Task UploadAsync(int round)
    {
        var content = Encoding.UTF8.GetBytes($"scale {round} {Guid.NewGuid()}");
        var upload = (await AskAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/", HttpStatusCode.Accepted)).Location!;
        await AskAsync(HttpMethod.Patch, upload, HttpStatusCode.Accepted, content);
        await AskAsync(HttpMethod.Get, upload, HttpStatusCode.NoContent);
        await AskAsync(HttpMethod.Put, $"{upload}?digest={Digest.Of(content)}", HttpStatusCode.Created);
        await AskAsync(HttpMethod.Get, $"/v2/{Repository}/blobs/{Digest.Of(content)}", HttpStatusCode.OK);

        var cancelled = (await AskAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/", HttpStatusCode.Accepted)).Location!;
        await AskAsync(HttpMethod.Delete, cancelled, HttpStatusCode.NoContent);

        var known = ScaleDatabase.Blob(scale.Blobs / 3 + round);
        await AskAsync(HttpMethod.Post, $"/v2/scale/other/blobs/uploads/?mount={known}&from={Repository}", HttpStatusCode.Created);
        await AskAsync(HttpMethod.Post, $"/v2/scale/another/blobs/uploads/?mount={known}", HttpStatusCode.Created);
    }

    private async Task PushAsync(int round, string child)
    {
        var (config, layer) = (ScaleDatabase.Blob(scale.Blobs / 4 + round), ScaleDatabase.Blob(scale.Blobs / 5 + round));
        var image = $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{config}}","size":10},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{layer}}","size":10}],
             "subject":{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{child}}","size":10} }
            """;
        await PutAsync($"new{round}", MediaTypes.OciManifest, image);
        await PutAsync($"t{scale.Tags / 7 + round}", MediaTypes.OciManifest, image);
        await PutAsync($"index{round}", MediaTypes.OciIndex,
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{child}}","size":10} ]}""");
    }

    private async Task RemoveAsync(int round)
    {
        var tag = $"t{scale.Tags / 8 + round}";
        var digest = (await AskAsync(HttpMethod.Head, $"/v2/{Repository}/manifests/{tag}", HttpStatusCode.OK)).Digest!;
        await AskAsync(HttpMethod.Delete, $"/v2/{Repository}/manifests/{tag}", HttpStatusCode.Accepted);
        await AskAsync(HttpMethod.Delete, $"/v2/{Repository}/manifests/{digest}", HttpStatusCode.Accepted);

        // The five blobs of a manifest that is live are needed.
        var needed = ScaleDatabase.Blob((scale.Tags / 2 + round) * 5 % scale.Blobs + 1);
        await AskAsync(HttpMethod.Delete, $"/v2/{Repository}/blobs/{needed}", HttpStatusCode.Conflict);
        await AskAsync(HttpMethod.Delete, $"/v2/scale/other/blobs/{ScaleDatabase.Blob(scale.Blobs / 3 + round)}", HttpStatusCode.Accepted);
    }

    private Task PutAsync(string tag, string mediaType, string json) => AskAsync(
        HttpMethod.Put, $"/v2/{Repository}/manifests/{tag}", HttpStatusCode.Created, Encoding.UTF8.GetBytes(json), mediaType);

    private async Task<(string? Digest, string? Location)> AskAsync(HttpMethod method, string path, HttpStatusCode expected,
        byte[]? body = null, string mediaType = "application/octet-stream")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new(mediaType) } };
        using var answer = await client.SendAsync(request);
        if (answer.StatusCode != expected)
            throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode}, not {(int)expected}: {await answer.Content.ReadAsStringAsync()}");
        return (answer.Headers.TryGetValues("Docker-Content-Digest", out var digests) ? digests.First() : null, answer.Headers.Location?.ToString());
    }
}
