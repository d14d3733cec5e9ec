using System.Diagnostics;
using Gantry.Engine.Posix;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Pulls;

/// <summary>Root of a user namespace, who is nobody outside. Needs root, to become somebody else.</summary>
[Collection(PullFixture.Collection)]
[Trait("Speed", "Slow")]
public sealed class RootlessTests(PullFixture registry) : PullTest(registry)
{
    private const string User = "12345";

    [Fact]
    [Trait("Pull", "B34")]
    public async Task Unpack_ByRootOfANamespace_GivesCapabilitiesOfThatNamespace()
    {
        // Version 2: cap_net_raw, permitted and effective.
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        await new TestImage().Gzip(new TarBytes().Pax(("SCHILY.xattr.security.capability", capability)).File("ping", "x", header => header.Mode(0b111_101_101))
            .File("theirs", "y", header => header.Uid(7)).End()).PushAsync(Registry.Client, Repository);
        using (var folder = new Descriptor(Kernel.OpenDirectory(Store.Root))) Kernel.ChangeOwner(folder.Number, uint.Parse(User), uint.Parse(User));
        var rootfs = Path.Combine(Store.Root, "rootfs");

        var start = new ProcessStartInfo("setpriv", ["--reuid", User, "--regid", User, "--clear-groups", "unshare", "--user", "--map-root-user",
            "dotnet", Path.Combine(AppContext.BaseDirectory, "Gantry.PullHost.dll"), "unpack", Store.Root, Registry.Name(Repository).Canonical, rootfs])
        {
            UseShellExecute = false, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync(End);
        await process.WaitForExitAsync(End);
        Assert.True(process.ExitCode == 0, said);

        using var tree = new Descriptor(Kernel.OpenDirectory(rootfs));
        var value = new byte[64];
        var length = Kernel.GetAttribute(tree.Number, "ping"u8, "security.capability"u8, value);

        // Version 3, which is version 2 and the namespace's root as it is outside.
        Assert.Equal(24, length);
        Assert.Equal((byte)3, value[3]);
        Assert.Equal(capability[4..], value[4..20]);
        Assert.Equal(uint.Parse(User), BitConverter.ToUInt32(value, 20));
        Assert.Equal("y", await File.ReadAllTextAsync(Path.Combine(rootfs, "theirs"), End));
    }
}
