using System.Runtime.InteropServices;
using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>What an ordinary user gets. One thread of the test gives up root, by the system call that concerns that thread alone, and ends.</summary>
public sealed partial class UnprivilegedTests : IDisposable
{
    private const uint User = 12345;

    private readonly UnpackSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData(UnpackMode.Layer)]
    [InlineData(UnpackMode.Flat)]
    [Trait("Pull", "B31")]
    [Trait("Pull", "B34")]
    [Trait("Pull", "B36")]
    [Trait("Pull", "B39")]
    public void Layers_UnpackedByAUser_LackOnlyWhatNeedsPrivileges(UnpackMode mode)
    {
        var tree = _sandbox.NewTree("flat");
        using (var opened = new Descriptor(Kernel.OpenDirectory(tree))) Kernel.ChangeOwner(opened.Number, User, User);
        var lower = new TarBytes().Directory("d", header => header.Mode(0b101_101_101)).Directory("d/e", header => header.Mode(0)).File("d/e/gone", "x").End();
        var layer = new TarBytes().Directory("d", header => header.Mode(0b101_101_101).Uid(5)).Directory("d/e", header => header.Mode(0)).File("d/e/f", "x", header => header.Mode(0b100_000_000).Gid(7))
            .Pax(("SCHILY.xattr.user.a", "1"), ("SCHILY.xattr.security.capability", (byte[])[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).File("r", "x", header => header.Mode(0b100_100_100)).Device('3', "null", 1, 3)
            .Pax(("SCHILY.xattr.trusted.overlay.opaque", "y")).Directory("o").File("o/.wh..wh..opq").File("d/e/.wh.gone").End();

        var notes = AsUser(() =>
        {
            using var unpacker = new LayerUnpacker(tree, mode, new());
            if (mode == UnpackMode.Flat) unpacker.Apply(lower.ToStream(), default);
            return unpacker.Apply(layer.ToStream(), default);
        });

        var seen = TreeSnapshot.Of(tree);
        Assert.Equal(mode == UnpackMode.Layer ? ["d", "d/e", "d/e/f", "d/e/gone", "o", "r"] : ["d", "d/e", "d/e/f", "o", "r"], seen.Paths);
        Assert.Equal((0b101_101_101u, 0u, 0b100_000_000u, 0b100_100_100u), (seen["d"].Mode, seen["d/e"].Mode, seen["d/e/f"].Mode, seen["r"].Mode));
        Assert.All(seen.Paths, path => Assert.Equal((User, User), (seen[path].Uid, seen[path].Gid)));
        Assert.Equal("user.a=31", seen["r"].Attributes);
        Assert.Equal(mode == UnpackMode.Layer ? "user.overlay.opaque=79" : "", seen["o"].Attributes);
        Assert.Equal(mode == UnpackMode.Layer, notes.UsesUserAttributes);
        Assert.Equal(4, notes.Warnings.Count);

        AsUser(() =>
        {
            TreeRemoval.Remove(Path.Combine(tree, "d"));
            return notes;
        });
        Assert.Equal(["o", "r"], TreeSnapshot.Of(tree).Paths);
    }

    private static LayerNotes AsUser(Func<LayerNotes> work)
    {
        LayerNotes? result = null;
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                var isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
                Assert.Equal(0, SystemCall(isArm ? 149 : 119, User, User, User));
                Assert.Equal(0, SystemCall(isArm ? 147 : 117, User, User, User));
                result = work();
            }
            catch (Exception caught)
            {
                fault = caught;
            }
        });
        thread.Start();
        thread.Join();
        return fault is null ? result! : throw new InvalidOperationException(fault.ToString(), fault);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, long third);
}
