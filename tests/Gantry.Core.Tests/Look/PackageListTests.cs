using System.Buffers.Binary;
using System.Text;
using Gantry.Core.Look;
using Gantry.Core.Look.Packages;

namespace Gantry.Core.Tests.Look;

public sealed class PackageListTests
{
    private const string Status =
        """
        Package: bash
        Status: install ok installed
        Architecture: amd64
        Version: 5.2-1
        Description: a shell
         Package: not this
         .

        Package: gone
        Status: deinstall ok config-files
        Version: 1

        Package: libc6
        Status: install ok installed
        Version: 2:3~rc
        """;

    public static TheoryData<string> Forms => ["sqlite", "ndb", "hash"];

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void Dpkg_IsRead_WhateverThePieces(int piece) =>
        Assert.Equal("bash 5.2-1 amd64; libc6 2:3~rc ", Read("var/lib/dpkg/status", Encoding.UTF8.GetBytes(Status), piece).Packages);

    [Fact]
    public void Apk_IsRead() => Assert.Equal("musl 1.2-r0 x86_64; zlib 1.3 ",
        Read("usr/lib/apk/db/installed", "C:Q1abc\nP:musl\nV:1.2-r0\nA:x86_64\nF:lib\nR:x\n\nP:zlib\nV:1.3\n"u8.ToArray()).Packages);

    [Theory]
    [InlineData("var/lib/dpkg/status.d/base", true)]
    [InlineData("var/lib/dpkg/status.d/base.md5sums", false)]
    [InlineData("var/lib/dpkg/status.d/deeper/base", false)]
    [InlineData("usr/lib/sysimage/rpm/rpmdb.sqlite", true)]
    [InlineData("var/lib/rpm/Packages.db", true)]
    [InlineData("var/lib/rpm/Name", false)]
    [InlineData("home/var/lib/dpkg/status", false)]
    public void Lists_AreLookedForAtTheirPaths(string path, bool isOne) => Assert.Equal(isOne, PackageReading.IsList(LookRegistry.Path(path)));

    /// <summary>Some of them are longer than a page, some hundred make a tree of pages.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Rpm_IsRead_InEachForm(string form)
    {
        var count = form == "hash" ? 100 : 250;
        byte[][] headers = [.. Enumerable.Range(0, count).Select(number => RpmBytes.Header($"p{number:d3}", "1.0-2.fc40", number == 0 ? 3 : null, number % 50 == 0 ? 20_000 : number))];

        var expected = string.Join("; ", Enumerable.Range(0, count).Select(number => $"p{number:d3} {(number == 0 ? "3:" : "")}1.0-2.fc40 x86_64"));
        var read = Read("var/lib/rpm/Packages", File(form, headers));
        Assert.Equal((expected, null), (read.Packages, read.Fault));
    }

    /// <summary>Whatever is in the file, it is read or said to be damaged, and nothing is read for ever.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Rpm_ThatIsDamaged_IsSaidToBe(string form)
    {
        var random = new Random(5);
        var file = File(form, [.. Enumerable.Range(0, 60).Select(number => RpmBytes.Header($"p{number}", "1-1", null, number == 30 ? 9000 : 0))]);
        var faults = 0;
        for (var round = 0; round < 3000; round++)
        {
            var damaged = (byte[])file.Clone();
            for (var count = random.Next(1, 6); count > 0; count--)
            {
                var place = random.Next(3) == 0 ? random.Next(Math.Min(200, damaged.Length)) : random.Next(damaged.Length);
                damaged[place] = (byte)(random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => random.Next(256) });
            }

            if (random.Next(5) == 0) damaged = damaged[..random.Next(damaged.Length)];
            if (Read("var/lib/rpm/Packages", damaged).Fault is not null) faults++;
        }

        Assert.InRange(faults, 50, 3000);
    }

    /// <summary>Tags that all point at one long text, slots that all lead to one header: small in a layer, and read for days.</summary>
    [Fact]
    public void Rpm_ThatLeadsToTheSameAgainAndAgain_IsNotReadForEver()
    {
        Assert.Equal(("", null), Read("var/lib/rpm/Packages", RpmBytes.Ndb(Names(60_000, 4 << 20))));
        Assert.Contains("too many tags", Read("var/lib/rpm/Packages", RpmBytes.Ndb(Names(65_536, 8))).Fault);

        var file = RpmBytes.Ndb(Names(1, 2 << 20));
        for (var slot = 3; slot < 256; slot++) file.AsSpan(2 * 16, 16).CopyTo(file.AsSpan(slot * 16));
        Assert.Contains("same headers", Read("var/lib/rpm/Packages", file).Fault);

        // Each tag is the package's name, and its text does not end.
        static byte[] Names(int tags, int bytes)
        {
            var header = new byte[8 + (tags * 16) + bytes];
            BinaryPrimitives.WriteInt32BigEndian(header, tags);
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), bytes);
            for (var tag = 0; tag < tags; tag++)
            {
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(8 + (tag * 16)), 1000);
                BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(12 + (tag * 16)), 6);
            }

            header.AsSpan(8 + (tags * 16)).Fill((byte)'x');
            return header;
        }
    }

    [Fact]
    public void Lists_BeyondTheirBounds_AreCutOrLeft()
    {
        var many = new StringBuilder();
        for (var number = 0; number <= PackageRoom.MaxPackages; number++) many.Append($"P:p{number}\nV:1\n\n");
        Assert.Contains($"{PackageRoom.MaxPackages}", Read("lib/apk/db/installed", Encoding.ASCII.GetBytes(many.ToString())).Fault);

        var reading = new PackageReading();
        Assert.Null(reading.Begin(LookRegistry.Path("var/lib/rpm/Packages"), RpmPackageList.MaxBytes + 1));
        Assert.NotNull(Assert.Single(reading.Files).Fault);
        Assert.Equal("", Read("lib/apk/db/installed", Encoding.UTF8.GetBytes($"P:{new string('x', 3000)}\nV:1\n\nP:\u001b[0m\nV:1\n")).Packages);
    }

    /// <summary>Small once compressed, and gigabytes of names: what is not kept in the end is not kept for a moment.</summary>
    [Theory]
    [InlineData(1000, 0)]
    [InlineData(200, PackageRoom.MaxCharacters / 402)]
    public void LongNames_AreLeftOut_OrBounded(int length, int kept)
    {
        var list = new PackageReading().Begin(LookRegistry.Path("lib/apk/db/installed"), 0)!;
        var paragraph = Encoding.ASCII.GetBytes($"P:{new string('<', length)}\nV:{new string('"', length)}\nA:x1\n\n");
        for (var number = 0; number < 50_000; number++) list.Add(paragraph);
        Assert.Equal(kept, list.Found.Packages.Count);
        Assert.Equal(kept > 0, list.Found.Fault is not null);
    }

    private static byte[] File(string form, byte[][] headers) => form switch
    {
        "sqlite" => RpmBytes.Sqlite(headers), "ndb" => RpmBytes.Ndb(headers), _ => RpmBytes.Hash(headers),
    };

    private static (string Packages, string? Fault) Read(string path, byte[] content, int piece = 1000)
    {
        var reading = new PackageReading();
        var list = reading.Begin(LookRegistry.Path(path), content.Length)!;
        foreach (var some in content.Chunk(piece)) list.Add(some);
        reading.End(LookRegistry.Path(path), list);
        var file = Assert.Single(reading.Files);
        return (string.Join("; ", file.Packages.Select(package => $"{package.Name} {package.Version} {package.Architecture}")), file.Fault);
    }
}
