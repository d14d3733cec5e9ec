using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>
/// Wild requests to the upload paths, in proper HTTP: never a fault of the server's, always the envelope. A failure names
/// the seed; <c>GANTRY_FUZZ_SEED</c> repeats it.
/// </summary>
public sealed class UploadsFuzzTests(RegistryFixture registry, ITestOutputHelper output)
{
    private const int Requests = 800;

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO"];

    // None leads out of /v2: what is there answers in words of its own.
    private static readonly string[] Names =
    [
        "A", "a//b", "a/", "-a", "a..b", "a__b", "a%2Fb", "a/%2E%2E/b", "a%20b", "%C3%A9", "%FF%FE", "a%0D%0Ab", "a%3Fb", "a%25",
        "blobs/uploads", "uploads", "a/blobs/uploads/b", "*", "a;b=c", "a,b", "~", "a:b", "@", "a'b", "a\"b", "a{b}", "a|b", "%u0041", "a%",
    ];

    private static readonly string[] Ids =
    [
        "", "x", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "0", "..%2F..", "%20", "%FF", "%E2%80%8B",
        "(00000000-0000-0000-0000-000000000000)", "00000000000000000000000000000000", "%7B", "sha256:e3b0", "a/b", "+",
    ];

    private static readonly string[] Values =
    [
        "", "sha256:", "sha512:00", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ":", "md5:0", "sha256",
        "SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "%00", "%0D%0AX:y", "%FF", "%", "a", "../..", "%2E%2E%2F", "sha512",
        "%F0%9F%90%8B", "'; DROP TABLE blobs; --".Replace(' ', '+'), "1", "-1", "99999999999999999999", "null", "[]", "a/b", "A", "%ED%A0%80",
    ];

    private static readonly string[] Keys =
        ["digest", "mount", "from", "digest-algorithm", "Digest", "digest[]", "n", "last", "tag", "", "&", "=", "%00", "_state"];

    private static readonly string[] Ranges =
    [
        "0-0", "0-9", "1-0", "5-", "-5", "", "bytes 0-9/*", "bytes */*", "bytes=0-9", "0-18446744073709551616", "-0--0", "9223372036854775806-9223372036854775807",
        "0-9,10-19", "\t0-9", "0x0-0x9", "a-b", "bytes 0-9/5", "0-9223372036854775807", "٠-٩",
    ];

    private static readonly string[] HeaderNames =
    [
        "Range", "If-Range", "If-Match", "If-None-Match", "Accept", "Content-Type", "Content-Encoding", "Content-MD5", "Cookie", "X-Forwarded-For",
        "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "Upgrade", "TE", "Via", "Origin", "Docker-Upload-UUID", "Location",
        "X-" + "Long",
    ];

    [Fact]
    [Trait("Protocol", "D4.68")]
    public async Task WildRequests_NeverFindAFaultAndAlwaysGetTheEnvelope()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GANTRY_FUZZ_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next();
        output.WriteLine($"GANTRY_FUZZ_SEED={seed}");
        var random = new Random(seed);
        var repository = registry.NewRepository();
        var upload = await registry.Client.StartUploadAsync(repository);
        var statuses = new SortedDictionary<int, int>();
        for (var i = 0; i < Requests; i++)
        {
            if (i % 50 == 0) upload = await registry.Client.StartUploadAsync(repository);
            var (method, head, body) = Next(random, repository, upload);
            var what = $"request {i} of GANTRY_FUZZ_SEED={seed}:\n{head}";
            await using var connection = await RawConnection.OpenAsync(registry.Server.Address);
            await connection.SendAsync(head);
            await connection.SendAsync(body);
            RawResponse answer;
            try
            {
                answer = await connection.ReadAsync(toHead: method == "HEAD");
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"no proper answer to {what}", exception);
            }

            statuses[answer.Status] = statuses.GetValueOrDefault(answer.Status) + 1;
            AssertProper(answer, method, what);
        }

        output.WriteLine(string.Join(", ", statuses.Select(pair => $"{pair.Key}: {pair.Value}")));
        // The fuzz reaches past the first check: some of it is right by chance.
        Assert.Subset(statuses.Keys.ToHashSet(), new HashSet<int> { 201, 202, 204, 400, 401, 404, 405 });
        using var ready = await registry.Client.GetAsync("/healthz/ready");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    private static void AssertProper(RawResponse answer, string method, string what)
    {
        Assert.True(answer.Status is >= 200 and < 500, $"{answer.Status} to {what}\n{Encoding.UTF8.GetString(answer.Body)}");
        if (answer.Status < 400) return;

        Assert.True(answer.Headers["Content-Type"].SequenceEqual(["application/json"]),
            $"{answer.Status} with '{string.Join(", ", answer.Headers["Content-Type"])}' to {what}");
        if (method == "HEAD") return;
        using var envelope = JsonDocument.Parse(answer.Body);
        var error = envelope.RootElement.GetProperty("errors")[0];
        var code = error.GetProperty("code").GetString();
        Assert.True(Enum.GetValues<OciErrorCode>().Any(known => known.Text().Wire == code), $"code {code} to {what}");
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    private static (string Method, string Head, byte[] Body) Next(Random random, string repository, string upload)
    {
        string Pick(string[] from) => from[random.Next(from.Length)];
        bool Often() => random.Next(4) > 0;

        var method = Often() ? Methods[random.Next(6)] : Pick(Methods);
        var name = Often() ? repository : random.Next(20) == 0 ? new string('a', random.Next(200, 400)) : Pick(Names);
        var id = Often() ? (method == "POST" ? "" : SessionId(upload).ToString()) : Pick(Ids);
        var query = new StringBuilder();
        var body = new byte[Often() ? random.Next(20) : random.Next(5000)];
        random.NextBytes(body);
        if (random.Next(3) == 0) query.Append($"&digest={Digest.Of(body)}");
        for (var more = random.Next(4); more > 0; more--) query.Append($"&{Pick(Keys)}{(Often() ? "=" : "")}{Pick(Values)}");
        if (query.Length > 0) query[0] = Often() ? '?' : query.Insert(0, '?')[0];

        var headers = new List<string> { "Connection: close" };
        if (random.Next(10) > 0) headers.Add($"Authorization: {RegistryServer.Basic("admin", RegistryServer.Password)}");
        else if (Often()) headers.Add($"Authorization: {Pick(["Basic", "Basic !", "Bearer ", "Bearer a.b.c", "Digest x", "basic Og=="])}");
        if (random.Next(3) == 0) headers.Add($"Content-Range: {Pick(Ranges)}");
        if (random.Next(10) == 0) headers.Add($"Content-Range: {Pick(Ranges)}");
        for (var more = random.Next(3); more > 0; more--)
            headers.Add($"{Pick(HeaderNames)}: {(Often() ? Pick(Values) : new string('x', random.Next(3000)))}");

        var chunked = random.Next(3) == 0;
        headers.Add(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {body.Length}");
        if (chunked) body = [.. Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. body.Length == 0 ? "\r\n"u8 : "\r\n0\r\n\r\n"u8];
        var head = RawConnection.HeadOfNobody(method, $"/v2/{name}/blobs/uploads/{id}{query}", [.. headers]);
        return (method, head, body);
    }
}
