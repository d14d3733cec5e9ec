using System.Text;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>What the tests of the transport share.</summary>
internal static class Remotes
{
    public const string UserName = "somebody", Password = "s3cr3t-Passw0rd!";

    public static RemoteOptions Quick { get; } = new()
    {
        PlainHttp = true, FirstPause = TimeSpan.FromMilliseconds(1), MaxTries = 3,
        ResponseTimeout = TimeSpan.FromSeconds(20), StallTimeout = TimeSpan.FromSeconds(20),
    };

    public static ICredentialSource Known { get; } = new Source(Credential.OfPassword(UserName, Password));

    public static ICredentialSource With(Credential credential) => new Source(credential);

    public static RemoteRepository Open(this RemoteRegistries registries, string name) => registries.Open(ImageName.Parse(name));

    public static Descriptor Describe(byte[] content) => new("application/octet-stream", Digest.Of(content), content.Length);

    public static byte[] Random(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static async Task<byte[]> ReadAsync(this RemoteRepository repository, Descriptor blob, long from = 0, params string[] urls)
    {
        await using var stream = await repository.OpenBlobAsync(blob, from, urls);
        using var read = new MemoryStream();
        await stream.CopyToAsync(read);
        return read.ToArray();
    }

    public static async Task<EngineException> FailsAsync(EngineFault fault, Func<Task> action)
    {
        var failed = await Assert.ThrowsAsync<EngineException>(action);
        Assert.True(failed.Fault == fault, $"{failed.Fault}: {failed}");
        return failed;
    }

    /// <summary>Serves bytes as a good server does: whole, or the range asked for.</summary>
    public static async Task SendAsync(HttpContext http, byte[] content, string? entityTag = null)
    {
        var from = From(http);
        http.Response.StatusCode = from is null ? 200 : 206;
        if (entityTag is not null) http.Response.Headers.ETag = entityTag;
        if (from is not null) http.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        http.Response.ContentLength = content.Length - (from ?? 0);
        await http.Response.Body.WriteAsync(content.AsMemory((int)(from ?? 0)));
    }

    /// <summary>Sends the head of an answer and some bytes of it, all of which arrive; then Kestrel hangs up, since more was announced.</summary>
    public static async Task CutAsync(HttpContext http, byte[] content, int count, string? entityTag = null)
    {
        var from = From(http) ?? 0;
        http.Response.StatusCode = from == 0 ? 200 : 206;
        if (entityTag is not null) http.Response.Headers.ETag = entityTag;
        if (from > 0) http.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        http.Response.ContentLength = content.Length - from;
        await http.Response.Body.WriteAsync(content.AsMemory((int)from, (int)Math.Min(count, content.Length - from)));
        await http.Response.Body.FlushAsync();
    }

    public static long? From(HttpContext http) =>
        http.Request.Headers.Range.ToString() is { Length: > 0 } range ? long.Parse(range["bytes=".Length..^1]) : null;

    public static string Basic(string user = UserName, string password = Password) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private sealed class Source(Credential credential) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(string host, RepositoryName? repository, CancellationToken cancellationToken) => new(credential);
    }
}
