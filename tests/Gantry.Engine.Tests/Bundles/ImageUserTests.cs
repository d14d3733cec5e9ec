using System.Diagnostics;
using Gantry.Engine.Bundles;

namespace Gantry.Engine.Tests.Bundles;

/// <summary>Who a container runs as, by an image's passwd and group, some of them hostile.</summary>
public sealed class ImageUserTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-user-");

    private string Root => Path.Combine(_folder.FullName, "root");

    private string Passwd => Path.Combine(Root, "etc", "passwd");

    private string Group => Path.Combine(Root, "etc", "group");

    public ImageUserTests()
    {
        Directory.CreateDirectory(Path.Combine(Root, "etc"));
        File.WriteAllText(Passwd, "# comment\nroot:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:An app:/home/app:/bin/sh\nbroken\n4294967296:x:0:0::/:/bin/sh\n-1:x:0:0::/:/bin/sh\n2147483648:x:0:0::/:/x\n");
        File.WriteAllText(Group, "root:x:0:\nwheel:x:10:root,app\napp:x:1001:\nextra:x:2000:other,app\nhuge:x:4294967296:app\n");
    }

    [Theory]
    [InlineData("", 0, 0, new[] { 0, 10 }, "/root")]
    [InlineData("root", 0, 0, new[] { 0, 10 }, "/root")]
    [InlineData("app", 1000, 1001, new[] { 1001, 10, 2000 }, "/home/app")]
    [InlineData("1000", 1000, 1001, new[] { 1001, 10, 2000 }, "/home/app")]
    [InlineData("app:extra", 1000, 2000, new[] { 2000 }, "/home/app")]
    [InlineData("app:7", 1000, 7, new[] { 7 }, "/home/app")]
    [InlineData("4711", 4711, 0, new[] { 0 }, null)]
    [InlineData("4711:4712", 4711, 4712, new[] { 4712 }, null)]
    [InlineData("2147483647:2147483647", 2147483647, 2147483647, new[] { 2147483647 }, null)]
    [Trait("Pull", "B10")]
    public void Resolve_AsTheSpecificationHasIt(string user, uint uid, uint gid, int[] groups, string? home)
    {
        var found = ImageUser.Resolve(user, Root);
        Assert.Equal((uid, gid, home), (found.Uid, found.Gid, found.Home));
        Assert.Equal(groups.Select(group => (uint)group), found.AdditionalGids);
    }

    [Theory]
    [InlineData("4294967296")]
    [InlineData("2147483648:0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("0:4294967296")]
    [InlineData("0:-1")]
    [InlineData("99999999999999999999999999")]
    [Trait("Pull", "C97")]
    public void Resolve_NumberOutOfRange_IsRefusedAndNoName(string user) =>
        Assert.Equal(EngineFault.Refused, Assert.Throws<EngineException>(() => ImageUser.Resolve(user, Root)).Fault);

    [Theory]
    [InlineData("nobody")]
    [InlineData("app:nobody")]
    [InlineData("app\u001b[2J")]
    [InlineData("app:huge")]
    public void Resolve_UnknownName_SaysSoWithoutControlCharacters(string user)
    {
        var fault = Assert.Throws<EngineException>(() => ImageUser.Resolve(user, Root));
        Assert.Equal(EngineFault.NotFound, fault.Fault);
        Assert.DoesNotContain('\u001b', fault.Message);
    }

    [Fact]
    public void Resolve_NoFiles_NumbersStillWork()
    {
        Directory.Delete(Path.Combine(Root, "etc"), recursive: true);
        Assert.Equal(new uint[] { 0 }, ImageUser.Resolve("", Root).AdditionalGids);
        Assert.Equal(5u, ImageUser.Resolve("5", Root).Uid);
        Assert.Throws<EngineException>(() => ImageUser.Resolve("root", Root));
    }

    [Fact]
    [Trait("Pull", "C98")]
    public void Resolve_LinkToTheMachinesFile_StaysInTheRoot()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "outside"), "app:x:666:666::/:/bin/sh\n");
        foreach (var target in (string[])[Path.Combine(_folder.FullName, "outside"), "../../outside", "../../../../../../etc/hostname"])
        {
            File.Delete(Passwd);
            File.CreateSymbolicLink(Passwd, target);
            Assert.Equal(EngineFault.NotFound, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);
        }

        // Inside, a link is followed, an absolute one too.
        File.WriteAllText(Path.Combine(Root, "accounts"), "app:x:77:77::/:/bin/sh\n");
        File.Delete(Passwd);
        File.CreateSymbolicLink(Passwd, "/accounts");
        Assert.Equal(77u, ImageUser.Resolve("app", Root).Uid);
    }

    [Fact]
    [Trait("Pull", "C98")]
    public void Resolve_WhatIsNoRegularFile_IsRefusedAtOnce()
    {
        File.Delete(Group);
        using (var make = Process.Start("mkfifo", [Group])) make.WaitForExit();
        Assert.Equal(EngineFault.Refused, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);

        File.Delete(Group);
        Directory.CreateDirectory(Group);
        Assert.Equal(EngineFault.Refused, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);

        Directory.Delete(Group);
        File.CreateSymbolicLink(Group, "group");
        Assert.Equal(EngineFault.Refused, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);

        // /dev/zero, as far as the image has one.
        File.Delete(Group);
        Directory.CreateDirectory(Path.Combine(Root, "dev"));
        using (var make = Process.Start("mknod", [Path.Combine(Root, "dev", "zero"), "c", "1", "5"])) make.WaitForExit();
        File.CreateSymbolicLink(Group, "/dev/zero");
        Assert.Equal(EngineFault.Refused, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);
    }

    [Fact]
    [Trait("Pull", "C98")]
    public void Resolve_FileOfAGigabyte_IsNotRead()
    {
        using (var file = File.OpenWrite(Group)) file.SetLength(1 << 30);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(EngineFault.TooLarge, Assert.Throws<EngineException>(() => ImageUser.Resolve("app", Root)).Fault);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
