using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Oci;

namespace Gantry.Benchmarks;

/// <summary>What is measured of one registry. Rates: more is better.</summary>
internal static class Measures
{
    private const string Repository = "bench/image";

    /// <summary>Uploads the file as docker does and returns MiB a second, from POST to 201.</summary>
    public static async Task<double> PushAsync(RegistryProcess registry, string file, Digest digest)
    {
        var clock = Stopwatch.StartNew();
        var post = await CurlAsync("-X", "POST", $"{registry.Address}v2/{Repository}/blobs/uploads/");
        var patch = await CurlAsync("-X", "PATCH", "-H", "Content-Type: application/octet-stream", "-H", "Expect:",
            "-T", file, Location(registry, post));
        var location = Location(registry, patch);
        var put = await CurlAsync("-X", "PUT", "-H", "Content-Length: 0",
            $"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}");
        var elapsed = clock.Elapsed.TotalSeconds;
        if (!put.Contains(" 201 ", StringComparison.Ordinal)) throw new InvalidOperationException($"{registry.Name}: {put}");
        return new FileInfo(file).Length / 1048576.0 / elapsed;
    }

    /// <summary>Downloads the blob and returns MiB a second.</summary>
    public static async Task<double> PullAsync(RegistryProcess registry, Digest digest)
    {
        var rate = await RunAsync("curl", "-sf", "-o", "/dev/null", "-w", "%{speed_download} %{http_code}",
            $"{registry.Address}v2/{Repository}/blobs/{digest}");
        return double.Parse(rate.Split(' ')[0], CultureInfo.InvariantCulture) / 1048576;
    }

    /// <summary>Pushes a manifest of a usual size (2 KiB) under the tag <c>latest</c>.</summary>
    public static async Task PushManifestAsync(RegistryProcess registry)
    {
        using var client = new HttpClient { BaseAddress = registry.Address };
        client.DefaultRequestHeaders.Authorization = registry.Credential;
        var config = RandomNumberGenerator.GetBytes(1024);
        using (var post = await client.PostAsync($"/v2/{Repository}/blobs/uploads/", null))
        {
            var location = new Uri(registry.Address, post.Headers.Location!).ToString();
            using var put = await client.PutAsync(
                $"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={Digest.Of(config)}",
                new ByteArrayContent(config));
            put.EnsureSuccessStatusCode();
        }

        var descriptor = $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{Digest.Of(config)}}","size":{{config.Length}}}""";
        var layers = string.Join(',', Enumerable.Repeat(descriptor.Replace("config.v1+json", "layer.v1.tar+gzip", StringComparison.Ordinal), 12));
        var manifest = new StringContent(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{descriptor}},"layers":[{{layers}}]}""", Encoding.UTF8);
        manifest.Headers.ContentType = new(MediaTypes.OciManifest);
        using var reply = await client.PutAsync($"/v2/{Repository}/manifests/latest", manifest);
        reply.EnsureSuccessStatusCode();
    }

    /// <summary>Gets a bearer token for the repository, as docker does, and has it sent from now on.</summary>
    public static async Task UseBearerTokenAsync(RegistryProcess registry)
    {
        using var client = new HttpClient { BaseAddress = registry.Address };
        client.DefaultRequestHeaders.Authorization = registry.Credential;
        using var reply = JsonDocument.Parse(await client.GetStringAsync($"/token?service=gantry&scope=repository:{Repository}:pull"));
        registry.Credential = new("Bearer", reply.RootElement.GetProperty("token").GetString());
    }

    /// <summary>Requests a second for the tag, at 64 connections.</summary>
    public static async Task<double> ManifestAsync(RegistryProcess registry, string method, int seconds)
    {
        return await LoadAsync(registry, method, seconds, new Uri(registry.Address, $"/v2/{Repository}/manifests/latest"));
    }

    /// <summary>Requests a second for <paramref name="count"/> tags at random, every so many of <c>t1</c>, <c>t2</c> ..., at 64 connections.</summary>
    public static async Task<double> RandomTagsAsync(RegistryProcess registry, string repository, int count, int every, int seconds)
    {
        var script = Path.Combine(Path.GetTempPath(), $"gantry-bench-{Environment.ProcessId}.lua");
        await File.WriteAllTextAsync(script,
            $$"""
            local thread = 0
            function setup(t) t:set("seed", thread); thread = thread + 1 end
            function init() math.randomseed(seed + 1) end
            function request() return wrk.format("GET", "/v2/{{repository}}/manifests/t" .. math.random({{count}}) * {{every}}) end
            """);
        try
        {
            return await LoadAsync(registry, "GET", seconds, registry.Address, "-s", script);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static async Task<double> LoadAsync(RegistryProcess registry, string method, int seconds, Uri url, params string[] more)
    {
        string[] credential = registry.Credential is null ? [] : ["-H", $"Authorization: {registry.Credential}"];
        // wrk waits for the body that a HEAD announces and never sends.
        var output = method == "HEAD"
            ? await RunAsync("hey", ["-z", $"{seconds}s", "-c", "64", "-m", method, "-A", MediaTypes.OciManifest, .. credential, $"{url}"])
            : await RunAsync("wrk", ["-t2", "-c64", $"-d{seconds}s", "-H", $"Accept: {MediaTypes.OciManifest}", .. credential, .. more, $"{url}"]);
        var line = output.Split('\n').Single(text => text.TrimStart().StartsWith("Requests/sec:", StringComparison.Ordinal));
        if (output.Contains("Non-2xx", StringComparison.Ordinal) || output.Contains("Error distribution", StringComparison.Ordinal)
            || (method == "HEAD" && !output.Contains("[200]", StringComparison.Ordinal)))
        {
            throw new InvalidOperationException($"{registry.Name}: {output}");
        }

        return double.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
    }

    private static Task<string> CurlAsync(params string[] arguments) =>
        RunAsync("curl", ["-s", "-D", "-", "-o", "/dev/null", .. arguments]);

    private static string Location(RegistryProcess registry, string headers)
    {
        var line = headers.Split('\n').FirstOrDefault(text => text.StartsWith("location:", StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"{registry.Name}: {headers}");
        return new Uri(registry.Address, line["location:".Length..].Trim()).ToString();
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException($"{program} did not start");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
    }
}
