using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;

namespace Gantry.Server.Ui;

/// <summary>
/// The style, the script and the pictures of all pages: part of the program, so that every way of installing it has them; named after
/// their content, so that browsers never ask for one twice; compressed once.
/// </summary>
internal static class SiteFiles
{
    public const string Path = "/assets/";

    private static readonly FrozenDictionary<string, Asset> ByFile = Read().ToFrozenDictionary(asset => asset.File, StringComparer.Ordinal);
    private static readonly FrozenDictionary<string, string> Files = ByFile.Values.ToFrozenDictionary(asset => asset.Name, asset => asset.File, StringComparer.Ordinal);

    /// <summary>Where a page finds it, relative to the root of all pages.</summary>
    public static string Url(string name) => string.Concat(Path.AsSpan(1), Files[name]);

    public static async Task AnswerAsync(HttpContext http, string file)
    {
        if (!ByFile.TryGetValue(file, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var (headers, accepted) = (http.Response.Headers, http.Request.Headers.AcceptEncoding.ToString());
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'";
        var (bytes, encoding) = accepted.Contains("br", StringComparison.Ordinal) ? (asset.Brotli, "br")
            : accepted.Contains("gzip", StringComparison.Ordinal) ? (asset.Gzip, "gzip") : (asset.Bytes, null);
        if (encoding is not null) headers.ContentEncoding = encoding;
        http.Response.ContentType = asset.Type;
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }

    private static IEnumerable<Asset> Read()
    {
        var program = Assembly.GetExecutingAssembly();
        const string Folder = "wwwroot/";
        foreach (var resource in program.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = program.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return Asset.Of(resource[Folder.Length..], bytes);
        }
    }

    private sealed record Asset(string Name, string File, string Type, byte[] Bytes, byte[] Gzip, byte[] Brotli)
    {
        public static Asset Of(string name, byte[] bytes)
        {
            var extension = System.IO.Path.GetExtension(name);
            var hash = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 6));
            var type = extension switch
            {
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                ".svg" => "image/svg+xml",
                _ => throw new InvalidOperationException($"no type is known for {name}"),
            };
            return new Asset(
                name, $"{System.IO.Path.GetFileNameWithoutExtension(name)}.{hash}{extension}", type, bytes,
                Packed(bytes, to => new GZipStream(to, CompressionLevel.SmallestSize)),
                Packed(bytes, to => new BrotliStream(to, CompressionLevel.SmallestSize)));
        }

        private static byte[] Packed(byte[] bytes, Func<Stream, Stream> packing)
        {
            using var packed = new MemoryStream();
            using (var to = packing(packed)) to.Write(bytes);
            return packed.ToArray();
        }
    }
}
