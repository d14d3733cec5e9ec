using System.Diagnostics;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>A machine without libzstd. Needs root.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class MissingLibraryTests(PullFixture registry) : PullTest(registry)
{
    [Fact]
    public async Task Pull_OfZstdLayerWithoutLibzstd_NamesThePackage()
    {
        var tar = new TarBytes().File("x", "x").End().ToArray();
        await new TestImage().Add(Zstd.Compress(tar), Digest.Of(tar).ToString(), TestImage.ZstdLayer).PushAsync(Registry.Client, Repository);
        var command = Zstd.Without("dotnet", Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), "pull", Store.Root, Registry.Name(Repository).Canonical);
        var start = new ProcessStartInfo(command[0], command[1..])
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
}
