using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Gantry.Cli.Tests.Kit;
using Gantry.Engine.Tests.Remote;
using Gantry.TestKit;

namespace Gantry.Cli.Tests;

/// <summary>Images out of the store and into it, and from registry to registry, with other people's tools on the other side. Needs skopeo, podman, docker-registry.</summary>
[Trait("Speed", "Slow")]
[Collection(BenchCollection.Name)]
public sealed class ArchiveCommandTests(Bench bench) : IAsyncLifetime
{
    private readonly GantryRuns _gantry = new(bench);
    private readonly string _digest = bench.BoxDigest;

    public async ValueTask InitializeAsync() => await _gantry.HavePulledAsync();

    [Theory]
    [InlineData("oci-archive")]
    [InlineData("docker-archive")]
    [InlineData("oci-dir")]
    public async Task SaveThenLoad_EachFormat_GivesTheSameFiles(string format)
    {
        var (archive, other) = (_gantry.Path("archive"), _gantry.Path("other"));
        await _gantry.GoodAsync("save", "--format", format, "-o", archive, bench.Box);
        Assert.Contains($"Loaded image: {bench.Box}", (await _gantry.GoodAsync("--root", other, "load", archive)).Output, StringComparison.Ordinal);
        var loaded = (await _gantry.GoodAsync("--root", other, "images", "--json")).Json[0];
        var pulled = (await _gantry.GoodAsync("images", "--json")).Json[0];
        Assert.Equal(pulled.GetProperty("imageId").GetString(), loaded.GetProperty("imageId").GetString());
        if (format != "docker-archive") Assert.Equal(_digest, loaded.GetProperty("digest").GetString());

        // Nothing is taken from the network.
        await _gantry.GoodAsync("unpack", bench.Box, _gantry.Path("a"));
        await _gantry.GoodAsync("--root", other, "unpack", bench.Box, _gantry.Path("b"));
        await GantryRuns.ToolAsync("diff", "-r", "--no-dereference", _gantry.Path("a"), _gantry.Path("b"));
        Assert.Equal("default\n", (await _gantry.GoodAsync("--root", other, "run", "--rm", bench.Box)).Output);
    }

    [Fact]
    public async Task Save_ToAPipe_IsTheSameAsToAFile()
    {
        await _gantry.GoodAsync("save", "-o", _gantry.Path("file.tar"), bench.Box);
        var piped = await _gantry.GoodAsync("save", bench.Box);
        Assert.Equal(await File.ReadAllBytesAsync(_gantry.Path("file.tar")), piped.OutputBytes);
        var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(piped.OutputBytes);
        Assert.Equal(0, (await _gantry.RunAsync(compressed.ToArray(), "--root", _gantry.Path("other"), "load", "-q")).Code);
        Assert.Equal($"{bench.Box}\n", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "images", "-q")).Output);
    }

    [Fact]
    public async Task Load_OfAnArchiveInZstdWithoutLibzstd_NamesThePackage()
    {
        var saved = await _gantry.GoodAsync("save", bench.Box);
        await File.WriteAllBytesAsync(_gantry.Path("saved.tar.zst"), Zstd.Compress(saved.OutputBytes));
        string[] load = ["--root", _gantry.Path("other"), "load", "-q", _gantry.Path("saved.tar.zst")];

        var command = Zstd.Without([.. GantryRuns.Program, .. load]);
        var refused = await GantryRuns.EndAsync(_gantry.StartOther(command[0], command[1..]));

        Assert.Equal(11, refused.Code);
        Assert.Contains("Debian's package libzstd1", refused.Errors, StringComparison.Ordinal);
        await _gantry.GoodAsync(load);
    }

    [Fact]
    public async Task Load_OfADamagedArchive_ChangesNothing()
    {
        await _gantry.GoodAsync("save", "--format", "oci-dir", "-o", _gantry.Path("layout"), bench.Box);
        var largest = new DirectoryInfo(_gantry.Path("layout/blobs/sha256")).GetFiles().MaxBy(file => file.Length)!;
        await using (var file = largest.OpenWrite())
        {
            file.Position = largest.Length / 2;
            file.WriteByte(0x5A);
            file.WriteByte(0xA5);
        }

        var result = await _gantry.RunAsync("--root", _gantry.Path("other"), "load", _gantry.Path("layout"));
        Assert.Equal(6, result.Code);
        Assert.Equal("", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "images", "-q")).Output);
    }

    [Fact]
    public async Task Save_IsReadBySkopeoAndPodmanAndTheirsIsLoaded()
    {
        await _gantry.GoodAsync("save", "-o", _gantry.Path("oci.tar"), bench.Box);
        await _gantry.GoodAsync("save", "--format", "docker-archive", "-o", _gantry.Path("docker.tar"), bench.Box);
        Assert.Equal(_digest, (await GantryRuns.ToolAsync("skopeo", "inspect", "--format", "{{.Digest}}", $"oci-archive:{_gantry.Path("oci.tar")}")).Trim());
        await GantryRuns.ToolAsync("skopeo", "copy", "-q", $"docker-archive:{_gantry.Path("docker.tar")}", $"dir:{_gantry.Path("dir1")}");
        await GantryRuns.ToolAsync("skopeo", "copy", "-q", $"docker-archive:{_gantry.Path("oci.tar")}", $"dir:{_gantry.Path("dir2")}");
        foreach (var archive in (string[])["oci.tar", "docker.tar"])
        {
            string[] podman = ["--root", _gantry.Path("podman"), "--runroot", _gantry.Path("podman-run"), "--storage-driver", "vfs"];
            var loaded = await GantryRuns.ToolAsync("podman", [.. podman, "load", "-q", "-i", _gantry.Path(archive)]);
            Assert.Contains(bench.Box, loaded, StringComparison.Ordinal);

            // And back, in both of its forms.
            foreach (var format in (string[])["docker-archive", "oci-archive"])
            {
                var saved = _gantry.Path($"{archive}-{format}");
                await GantryRuns.ToolAsync("podman", [.. podman, "save", "-q", "--format", format, "-o", saved, bench.Box]);
                Assert.Equal($"Loaded image: {bench.Box}\n", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "load", "-i", saved)).Output);
                Assert.Equal("default\n", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "run", "--rm", "--pull", "never", bench.Box)).Output);
            }

            await GantryRuns.ToolAsync("podman", [.. podman, "rmi", "-f", bench.Box]);
        }
    }

    [Fact]
    public async Task Load_WhatSkopeoWrites_Works()
    {
        await GantryRuns.ToolAsync("skopeo", "copy", "-q", $"oci:{bench.Layout}:box", $"docker-archive:{_gantry.Path("d.tar")}:box:docker");
        await GantryRuns.ToolAsync("skopeo", "copy", "-q", $"oci:{bench.Layout}:box", $"oci-archive:{_gantry.Path("o.tar")}:three");
        var other = _gantry.Path("other");
        await _gantry.GoodAsync("--root", other, "load", "-i", _gantry.Path("d.tar"));
        await _gantry.GoodAsync("--root", other, "load", _gantry.Path("o.tar"));
        await _gantry.GoodAsync("--root", other, "load", "--name", "team/named:4", _gantry.Path("o.tar"));
        Assert.Equal(["box:docker", "team/named:4", "localhost/o:three"], (await _gantry.GoodAsync("--root", other, "images", "-q")).Lines.OrderBy(line => line.StartsWith("localhost", StringComparison.Ordinal)).ThenBy(line => line, StringComparer.Ordinal));
        foreach (var name in (string[])["box:docker", "localhost/o:three"])
            Assert.Equal("default\n", (await _gantry.GoodAsync("--root", other, "run", "--rm", name)).Output);
    }

    [Fact]
    public async Task Copy_BetweenRegistries_KeepsDigestsAndAllPlatforms()
    {
        await using var peer = await PeerRegistry.StartAsync(withLogin: false);
        await _gantry.GoodAsync("push", $"{bench.Layout}:many", $"{bench.Host}/team/many:1");
        var there = (await _gantry.GoodAsync("copy", $"{bench.Host}/team/many:1", $"{peer.Host}/copied/many:2")).Output.Trim();
        var raw = await _gantry.GoodAsync("inspect", "--remote", "--raw", $"{bench.Host}/team/many:1");
        Assert.EndsWith(Oci.Digest.Of(raw.OutputBytes).ToString(), there, StringComparison.Ordinal);
        Assert.Contains("Already exists", (await _gantry.GoodAsync("copy", $"{bench.Host}/team/many:1", $"{peer.Host}/copied/many:3")).Errors, StringComparison.Ordinal);
        Assert.Contains("Mounted", (await _gantry.GoodAsync("copy", $"{peer.Host}/copied/many:2", $"{peer.Host}/moved/many:1")).Errors, StringComparison.Ordinal);
        Assert.Equal(["2", "3"], (await _gantry.GoodAsync("tags", $"{peer.Host}/copied/many")).Lines.Order(StringComparer.Ordinal));
        Assert.Contains("linux/arm64", (await _gantry.GoodAsync("pull", "--json", "--platform", "arm64", $"{peer.Host}/moved/many:1")).Output, StringComparison.Ordinal);

        // One platform alone is the manifest, back into Gantry.
        var one = (await _gantry.GoodAsync("copy", "--platform", "linux/amd64", $"{peer.Host}/copied/many:2", $"{bench.Host}/team/one:1")).Output.Trim();
        Assert.EndsWith(_digest, one, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_WithReferrers_TakesSignaturesOfImagesAndOfSignatures()
    {
        await using var peer = await PeerRegistry.StartAsync(withLogin: false);
        await _gantry.GoodAsync("push", $"{bench.Layout}:many", $"{bench.Host}/signed/many:1");
        using var client = bench.Server.Client();
        await client.PushBlobAsync("signed/many", RegistryClient.EmptyConfig);
        var note = Encoding.UTF8.GetBytes("a signature");
        await client.PushBlobAsync("signed/many", note);
        var top = (await _gantry.GoodAsync("tags", $"{bench.Host}/signed/many")).Lines.Length == 1
            ? Oci.Digest.Of((await _gantry.GoodAsync("inspect", "--remote", "--raw", $"{bench.Host}/signed/many:1")).OutputBytes) : default;
        var signature = await client.PushManifestAsync("signed/many", null, RegistryClient.ImageJson([note], top, "text/signature"));
        var ofPlatform = await client.PushManifestAsync("signed/many", null, RegistryClient.ImageJson([note], Oci.Digest.Parse(_digest), "text/sbom"));
        var ofSignature = await client.PushManifestAsync("signed/many", null, RegistryClient.ImageJson([note], signature, "text/signature"));

        // Out of a registry with the API into one without, and from there into one with it again.
        await _gantry.GoodAsync("copy", $"{bench.Host}/signed/many:1", $"{peer.Host}/plain/many:1");
        Assert.Equal(["1"], (await _gantry.GoodAsync("tags", $"{peer.Host}/plain/many")).Lines);
        await _gantry.GoodAsync("copy", "--referrers", $"{bench.Host}/signed/many:1", $"{peer.Host}/signed/many:1");
        Assert.Equal(["1", .. new[] { top, Oci.Digest.Parse(_digest), signature }.Select(subject => $"sha256-{subject.Hex}").Order(StringComparer.Ordinal)],
            (await _gantry.GoodAsync("tags", $"{peer.Host}/signed/many")).Lines.Order(StringComparer.Ordinal));
        await _gantry.GoodAsync("copy", "--referrers", $"{peer.Host}/signed/many:1", $"{bench.Host}/back/many:1");
        foreach (var (subject, referrer) in ((Oci.Digest, Oci.Digest)[])[(top, signature), (Oci.Digest.Parse(_digest), ofPlatform), (signature, ofSignature)])
            Assert.Contains(referrer.ToString(), await client.GetStringAsync($"/v2/back/many/referrers/{subject}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_AllPlatforms_WritesTheWholeIndex()
    {
        await _gantry.GoodAsync("push", $"{bench.Layout}:many", $"{bench.Host}/team/all:1");
        await _gantry.GoodAsync("pull", "-q", $"{bench.Host}/team/all:1");
        await _gantry.GoodAsync("save", "--all-platforms", "-o", _gantry.Path("all.tar"), $"{bench.Host}/team/all:1");
        var raw = (await _gantry.GoodAsync("inspect", "--raw", $"{bench.Host}/team/all:1")).Output;
        Assert.Equal(raw, await GantryRuns.ToolAsync("skopeo", "inspect", "--raw", $"oci-archive:{_gantry.Path("all.tar")}"));
        await GantryRuns.ToolAsync("skopeo", "copy", "-q", "--all", $"oci-archive:{_gantry.Path("all.tar")}", $"dir:{_gantry.Path("all")}");
        var loaded = await _gantry.GoodAsync("--root", _gantry.Path("other"), "--platform", "linux/arm64", "load", "--json", _gantry.Path("all.tar"));
        Assert.Equal("loaded", loaded.Json[^1].GetProperty("event").GetString());
        Assert.Contains("linux/arm64", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "images", "--platforms")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await _gantry.RunAsync("save", "--all-platforms", "--format", "docker-archive", "-o", _gantry.Path("x"), bench.Box)).Code);
    }

    [Fact]
    public async Task Save_ToALinkOrAPipe_LeavesWhatItIs()
    {
        var direct = (await _gantry.GoodAsync("save", bench.Box)).OutputBytes;
        File.CreateSymbolicLink(_gantry.Path("link"), _gantry.Path("target"));
        await _gantry.GoodAsync("save", "-o", _gantry.Path("link"), bench.Box);
        Assert.NotNull(new FileInfo(_gantry.Path("link")).LinkTarget);
        Assert.Equal(direct, await File.ReadAllBytesAsync(_gantry.Path("target")));

        // As /dev/null would be.
        await GantryRuns.ToolAsync("mkfifo", _gantry.Path("pipe"));
        var read = GantryRuns.ToolAsync("sha256sum", _gantry.Path("pipe"));
        await _gantry.GoodAsync("save", "-o", _gantry.Path("pipe"), bench.Box);
        Assert.StartsWith(Oci.Digest.Of(direct).Hex, await read, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_gantry.Folder, "*.part"));
        Assert.Equal(2, (await _gantry.RunAsync("save", "-o", _gantry.Store, bench.Box)).Code);
    }

    [Fact]
    public async Task Push_OfSeveralImages_WantsAName()
    {
        Assert.Equal(2, (await _gantry.RunAsync("push", bench.Layout, $"{bench.Host}/team/x:1")).Code);
        Assert.Equal(3, (await _gantry.RunAsync("push", $"{bench.Layout}:none", $"{bench.Host}/team/x:1")).Code);
        Assert.Equal(3, (await _gantry.RunAsync("push", _gantry.Path("nowhere"), $"{bench.Host}/team/x:1")).Code);
        await File.WriteAllTextAsync(_gantry.Path("junk"), new string('x', 4096));
        Assert.Equal(7, (await _gantry.RunAsync("push", _gantry.Path("junk"), $"{bench.Host}/team/x:1")).Code);
    }

    [Fact]
    public async Task Export_IsWhatUnpackGives()
    {
        var export = await _gantry.GoodAsync("export", bench.Box);
        await File.WriteAllBytesAsync(_gantry.Path("export.tar"), export.OutputBytes);
        Assert.Equal(export.OutputBytes, (await _gantry.GoodAsync("export", bench.Box)).OutputBytes);
        Directory.CreateDirectory(_gantry.Path("tree"));
        await GantryRuns.ToolAsync("tar", "-xpf", _gantry.Path("export.tar"), "--numeric-owner", "--xattrs", "-C", _gantry.Path("tree"));
        await _gantry.GoodAsync("unpack", bench.Box, _gantry.Path("unpacked"));
        const string list = "cd \"$0\" && find . -mindepth 1 -printf '%P %y %m %U %G %s %n %l %T@\\n' | sed 's/^\\(.* d [0-9]* [0-9]* [0-9]*\\) [0-9]*/\\1/' | sort && find . -type f -exec sha256sum {} + | sort";
        Assert.Equal(await GantryRuns.ToolAsync("bash", "-c", list, _gantry.Path("unpacked")), await GantryRuns.ToolAsync("bash", "-c", list, _gantry.Path("tree")));

        using var reader = new TarReader(new MemoryStream(export.OutputBytes));
        var names = new List<string>();
        while (await reader.GetNextEntryAsync() is { } entry) names.Add(entry.Name);
        Assert.Contains("etc/twin", names);
        Assert.DoesNotContain(names, name => name.Contains(".wh.", StringComparison.Ordinal) || name is "etc/gone" or "./" or "/");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Pull", "B10")]
    public async Task Bundle_OfEitherKind_IsRunByRunc(bool isFlat)
    {
        var folder = _gantry.Path("bundle");
        await _gantry.GoodAsync(["bundle", .. isFlat ? new[] { "--flat" } : [], bench.Box, folder]);
        try
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
            var config = await File.ReadAllTextAsync(Path.Combine(folder, "config.json"));
            Assert.DoesNotContain("run.oci.handler", config, StringComparison.Ordinal);
            Assert.Equal("default\n", await GantryRuns.ToolAsync("runc", "run", "-b", folder, $"gantry-test-{Guid.NewGuid():N}"));
        }
        finally
        {
            if (!isFlat) await GantryRuns.ToolAsync("umount", Path.Combine(folder, "rootfs"));
        }

        Assert.Equal(2, (await _gantry.RunAsync("bundle", bench.Box, folder)).Code);
    }

    public ValueTask DisposeAsync() => _gantry.DisposeAsync();
}
