using System.Text;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>Requests that no client sends. A failure names the seed that repeats them.</summary>
[Trait("Protocol", "D4.68")]
[Trait("Speed", "Slow")]
public sealed class V2FuzzTests(RegistryFixture registry)
{
    private const int Requests = 2_000;

    // What parsers, databases and header writers trip over, as a target may hold it.
    private static readonly string[] Pieces =
    [
        "a", "b", "fuzz", "/", "//", ".", "..", "_", "-", ":", "@", "=", "&", "?", "+", "%", "%2F", "%2f", "%5C", "%25", "%0A", "%0d%0a",
        "%20", "%C3%A9", "%F0%9F%98%80", "%ED%A0%80", "%FF", "%EF%BF%BF", "%u0000", "%zz", "~", "*", "'", "\"", "<", ";", "(", "$", "\\", "|",
        "manifests", "blobs", "tags", "list", "referrers", "uploads", "_catalog", "v2", "latest", "sha256:", "sha512:", "md5:",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    ];

    private static readonly string[] Methods = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS", "TRACE", "M-SEARCH", "get"];

    private static readonly string[] HeaderNames =
    [
        "Accept", "Accept-Encoding", "Range", "If-Range", "If-None-Match", "If-Modified-Since", "Content-Encoding", "Content-Type", "Content-Range",
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Cookie", "X-HTTP-Method-Override", "Forwarded", "Upgrade", "Docker-Content-Digest",
    ];

    private static readonly string[] HeaderPieces =
    [
        "bytes=", "0-", "-1", "0-0", ",", "99999999999999999999-", "\"", "W/", "*", "sha256:", "application/", "vnd.oci.image.index.v1+json", "json", "; q=", "charset=utf-8",
        "gzip", "text/", "/", "Bearer ", "Basic ", "YTpi", "=", "127.0.0.1", "::1", "[", "https", "%", "\t", " ", "é", "\u007e", "-", "999", "h2c", "websocket",
    ];

    [Fact]
    public async Task RandomRequests_AreNeverAFaultOfTheServers()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var repository = "fuzz/a";
        await registry.Client.PushImageAsync(repository, "latest");
        await registry.Client.PushBlobAsync(repository, []);

        var statuses = new Dictionary<int, int>();
        RawConnection? connection = null;
        try
        {
            for (var i = 0; i < Requests; i++)
            {
                connection ??= await RawConnection.OpenAsync(registry.Server.Address);
                var (method, text) = Request(random, repository);
                var answer = await AnswerAsync(connection, text, method == "HEAD", $"seed {seed}, request {i}: {text}");
                statuses[answer.Status] = statuses.GetValueOrDefault(answer.Status) + 1;
                if (!answer.Headers["Connection"].Contains("close")) continue;
                await connection.DisposeAsync();
                connection = null;
            }
        }
        finally
        {
            if (connection is not null) await connection.DisposeAsync();
        }

        // The generator is worth something only while it gets past the first check.
        foreach (var status in (int[])[200, 201, 400, 404, 405]) Assert.True(statuses.GetValueOrDefault(status) > 10, $"seed {seed}: {string.Join(' ', statuses)}");
    }

    private static async Task<RawResponse> AnswerAsync(RawConnection connection, string text, bool toHead, string what)
    {
        RawResponse answer;
        try
        {
            await connection.SendAsync(text);
            do answer = await connection.ReadAsync(toHead); while (answer.Status < 200);
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException or OperationCanceledException or FormatException)
        {
            throw new InvalidOperationException($"no answer: {what}", exception);
        }

        Assert.True(answer.Status < 500, $"{answer.Status}: {what} {Encoding.UTF8.GetString(answer.Body)}");
        // Dots in a path lead out of /v2 before anybody reads it, to a page.
        var isV2 = answer.Headers.Contains("Docker-Distribution-Api-Version");
        Assert.False(isV2 && (answer.Headers.Contains("Set-Cookie") || answer.Headers.Contains("Content-Encoding")), what);
        // What is no HTTP never gets to the registry; Kestrel answers it without a word.
        if (answer.Status == 400 && !answer.Headers.Contains("X-Request-Id") && answer.Body.Length == 0) return answer;
        Assert.True(answer.Headers["X-Request-Id"].Count() == 1, what);
        if (answer.Status < 400 || !isV2) return answer;

        Assert.True(answer.Header("Content-Type") == "application/json", what);
        if (toHead) return answer;
        using var body = JsonDocument.Parse(answer.Body);
        var error = body.RootElement.GetProperty("errors")[0];
        Assert.True(error.GetProperty("code").GetString() is { Length: > 0 } && error.GetProperty("message").GetString() is { Length: > 0 }, what);
        return answer;
    }

    private static (string Method, string Text) Request(Random random, string repository)
    {
        var method = Pick(random, Methods[..(random.Next(3) == 0 ? Methods.Length : 4)]);
        var target = Target(random, repository);
        if (random.Next(2) == 0) target += "?" + Query(random);
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        if (random.Next(20) > 0) head.Append($"Authorization: {RegistryServer.Basic("admin", RegistryServer.Password)}\r\n");
        for (var count = random.Next(4); count > 0; count--)
        {
            head.Append($"{Pick(random, HeaderNames)}: {Word(random, HeaderPieces, 6)}\r\n");
        }

        // HTTP has no body where nothing says that there is one.
        if (method is "GET" or "HEAD" or "TRACE" && random.Next(10) > 0) return (method, $"{head}\r\n");
        var body = Body(random);
        return random.Next(3) == 0
            ? (method, $"{head}Transfer-Encoding: chunked\r\n\r\n{(body.Length == 0 ? "" : $"{body.Length:x}\r\n{body}\r\n")}0\r\n\r\n")
            : (method, $"{head}Content-Length: {body.Length}\r\n\r\n{body}");
    }

    private static string Target(Random random, string repository)
    {
        var name = random.Next(4) == 0 ? Word(random, Pieces, 5) : repository;
        var reference = random.Next(3) switch
        {
            0 => Word(random, Pieces, 4),
            1 => Pick(random, ["latest", "v1", "v2"]),
            _ => $"sha256:{Pick(random, [Pieces[^1], Pieces[^2]])}",
        };
        return random.Next(8) switch
        {
            0 => $"/v2/{Word(random, Pieces, 8)}",
            1 => $"/v2/{name}/tags/list",
            2 => $"/v2/{name}/referrers/{reference}",
            3 => $"/v2/{name}/blobs/{reference}",
            4 => random.Next(2) == 0 ? "/v2/_catalog" : "/v2/",
            _ => $"/v2/{name}/manifests/{reference}",
        };
    }

    private static string Query(Random random)
    {
        var parts = Enumerable.Range(0, random.Next(1, 4)).Select(_ =>
        {
            var value = random.Next(3) == 0 ? Pick(random, ["0", "1", "-1", "2147483648", "99999999999999999999", "%00", "%00%00", "a%00b"]) : Word(random, Pieces, 3).Replace("?", "", StringComparison.Ordinal);
            return $"{Pick(random, ["n", "last", "artifactType", "tag", "digest", "mount", "from", "x", "N", ""])}={value}";
        });
        return string.Join('&', parts);
    }

    private static string Body(Random random)
    {
        var digest = Digest.Of(RegistryClient.EmptyConfig);
        var body = random.Next(5) switch
        {
            0 => Word(random, [.. Pieces, "{", "}", "[", "]", "null", "\0", "\u00ff"], 10),
            1 => RegistryClient.IndexJson(),
            2 => RegistryClient.ImageJson([], digest, "a/b", new Dictionary<string, string>(StringComparer.Ordinal) { ["a\0"] = "\0" }),
            _ => RegistryClient.ImageJson([]),
        };
        if (random.Next(2) == 0) return body;
        var text = new StringBuilder(body);
        for (var round = random.Next(4); round > 0 && text.Length > 0; round--)
        {
            var at = random.Next(text.Length);
            if (random.Next(2) == 0) text.Remove(at, random.Next(Math.Min(20, text.Length - at) + 1));
            else text.Insert(at, Pick(random, ["\"", "\\u0000", "\\ud800", "\0", "\u00ff", "{", "[[", "1e999", "null", ",", "\"mediaType\":\"\",", "\"subject\":{},"]));
        }

        return text.ToString();
    }

    private static string Word(Random random, string[] pieces, int most) =>
        string.Concat(Enumerable.Range(0, random.Next(most + 1)).Select(_ => Pick(random, pieces))).Trim();

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];
}
