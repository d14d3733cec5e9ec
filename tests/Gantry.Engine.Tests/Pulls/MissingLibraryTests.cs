using System.Diagnostics;
using System.Runtime.InteropServices;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>A machine without libzstd: the library is hidden from one process by a mount of its own. Needs root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class MissingLibraryTests(PullFixture registry) : PullTest(registry)
{
    [Fact]
    public async Task Pull_OfZstdLayerWithoutLibzstd_NamesThePackage()
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        await new TestImage().Add(Zstd.Compress(tar), Digest.Of(tar).ToString(), TestImage.ZstdLayer).PushAsync(Registry.Client, Repository);
        var start = new ProcessStartInfo("unshare", ["--mount", "sh", "-c", "mount --bind /dev/null \"$0\" && exec \"$@\"", LibraryFile(),
            "dotnet", Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), "pull", Store.Root, Registry.Name(Repository).Canonical])
        {
            UseShellExecute = false, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync(End);
        await process.WaitForExitAsync(End);

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("Local: ", said, StringComparison.Ordinal);
        Assert.Contains("Debian's package libzstd1", said, StringComparison.Ordinal);
        Store.IsQuiet();
        await PullAsync(await Store.OpenAsync());
        Assert.Single(Store.Layers);
    }

    private static string LibraryFile()
    {
        NativeLibrary.Load("libzstd.so.1");
        return File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).First(path => path.Contains("/libzstd.so.1", StringComparison.Ordinal));
    }
}
