using System.Globalization;
using System.Net;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>A client that pushes a blob by chunks, the last one with the close, and that may lose its server at any point.</summary>
/// <param name="repository">Where to.</param>
/// <param name="content">What.</param>
/// <param name="cuts">Where a chunk ends and the next begins; at least one, ascending.</param>
internal sealed class ChunkedPush(string repository, byte[] content, params int[] cuts)
{
    private readonly int[] _cuts = cuts.Length > 0 ? cuts : [content.Length / 2, content.Length * 3 / 4];

    /// <summary>Bytes that the server said are there.</summary>
    private int _acknowledged;

    /// <summary>Bytes sent, whatever became of them.</summary>
    private int _sent;

    private bool _closeWasSent;

    public byte[] Content => content;

    public Digest Digest { get; } = Digest.Of(content);

    /// <summary>Null as long as the server did not name it.</summary>
    public string? Location { get; private set; }

    /// <exception cref="HttpRequestException">The server is gone, or refuses.</exception>
    public async Task RunAsync(HttpClient client)
    {
        using var post = await client.PostAsync($"/v2/{repository}/blobs/uploads/", null);
        await ExpectAsync(post, HttpStatusCode.Accepted);
        Location = post.Headers.Location!.ToString();
        await SendRestAsync(client);
    }

    /// <summary>
    /// After a restart: asks how far the upload got, sends what is missing and closes it. What was acknowledged must still
    /// be there, and nothing that was never sent.
    /// </summary>
    public async Task GoOnAsync(HttpClient client)
    {
        if (Location is null)
        {
            await RunAsync(client);
            return;
        }

        using var status = await client.GetAsync(Location);
        if (status.StatusCode == HttpStatusCode.NotFound)
        {
            // Only a close ends an upload, and only a commit makes the same close succeed now.
            Assert.True(_closeWasSent, "an acknowledged upload is gone");
            await CloseAgainAsync(client);
            return;
        }

        await ExpectAsync(status, HttpStatusCode.NoContent);
        var last = int.Parse(status.Header("Range").Split('-')[1], CultureInfo.InvariantCulture);
        var offset = last == 0 ? 0 : last + 1;
        Assert.True(offset >= _acknowledged, $"{_acknowledged} bytes were acknowledged, the server says {offset}");
        Assert.True(offset <= _sent, $"{_sent} bytes were sent, the server says {offset}");
        _acknowledged = offset;
        if (_closeWasSent) await CloseAsync(client, offset);
        else await SendRestAsync(client);
    }

    /// <summary>A close whose answer was lost may be asked for again.</summary>
    public async Task CloseAgainAsync(HttpClient client)
    {
        using var put = await client.CloseAsync(Location!, Digest);
        await ExpectAsync(put, HttpStatusCode.Created);
    }

    private async Task SendRestAsync(HttpClient client)
    {
        foreach (var cut in _cuts.Where(cut => cut > _acknowledged))
        {
            _sent = cut;
            using var patch = await client.SendChunkAsync(Location!, content[_acknowledged..cut], $"{_acknowledged}-{cut - 1}");
            await ExpectAsync(patch, HttpStatusCode.Accepted);
            _acknowledged = cut;
        }

        await CloseAsync(client, _acknowledged);
    }

    private async Task CloseAsync(HttpClient client, int offset)
    {
        (_sent, _closeWasSent) = (content.Length, true);
        using var put = await client.CloseAsync(Location!, Digest, content[offset..]);
        await ExpectAsync(put, HttpStatusCode.Created);
    }

    internal static async Task ExpectAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        if (response.StatusCode == status) return;
        throw new HttpRequestException($"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri} -> " +
            $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}", null, response.StatusCode);
    }
}

internal static class Findings
{
    /// <summary>The blob's bytes; null where there is none. Anything else is a failure.</summary>
    public static async Task<byte[]?> FindBlobAsync(this HttpClient client, string repository, Digest digest)
    {
        using var answer = await client.GetAsync($"/v2/{repository}/blobs/{digest}");
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        await ChunkedPush.ExpectAsync(answer, HttpStatusCode.OK);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>The digest a tag points at; its manifest must hash to it. Null where there is none.</summary>
    public static async Task<string?> FindTagAsync(this HttpClient client, string repository, string reference)
    {
        using var answer = await client.GetAsync($"/v2/{repository}/manifests/{reference}");
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        await ChunkedPush.ExpectAsync(answer, HttpStatusCode.OK);
        var digest = Digest.Of(await answer.Content.ReadAsByteArrayAsync()).ToString();
        Assert.Equal(digest, answer.Header("Docker-Content-Digest"));
        return digest;
    }
}
