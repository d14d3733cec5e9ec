using System.Diagnostics;
using System.Text;
using Gantry.Engine.Archives;
using Gantry.Engine.Unpack;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Tests.Archives;

/// <summary>The archives that export writes, read back by our reader and by GNU tar. Needs root.</summary>
public sealed class TarWriterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-tar-");

    public static TheoryData<string> Names =>
    [
        "plain", "with space", new string('a', 100), new string('a', 101), $"{new string('d', 90)}/{new string('f', 90)}", $"{new string('d', 160)}/{new string('f', 60)}",
        $"{string.Join('/', Enumerable.Repeat("deep", 200))}", "umlaut-ü", "dir/", $"{new string('d', 99)}/", $"{new string('d', 100)}/", $"{new string('d', 155)}/{new string('f', 100)}",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Begin_NameOfAnyLength_ComesBack(string name) => RoundTrip(new TarHeaderValues
    {
        Name = Encoding.UTF8.GetBytes(name), Type = name.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile, Mode = 0x1FF,
    });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1_700_000_000, 0)]
    [InlineData(1_700_000_000, 123456789)]
    [InlineData(-1, 999999999)]
    [InlineData(-5, 0)]
    [InlineData(-5, 1)]
    [InlineData(0x1FFFFFFFFL, 0)]
    [InlineData(0x200000000L, 5)]
    public void Begin_TimeToTheNanosecond_ComesBack(long seconds, int nanoseconds) =>
        RoundTrip(new TarHeaderValues { Name = "t"u8.ToArray(), Type = TarEntryType.RegularFile, Modified = new TarTime(seconds, nanoseconds) });

    [Fact]
    public void Begin_ExtremeValues_ComeBack()
    {
        RoundTrip(new TarHeaderValues
        {
            Name = new byte[] { 0xFF, 0x80, (byte)'/', 0xFE }, Type = TarEntryType.SymbolicLink, LinkName = new byte[] { (byte)'.', 0xC3, 0x28 }, Mode = 0xFFF, Uid = 4294967294, Gid = 2097152,
            Attributes = [("security.capability"u8.ToArray(), [0, 10, 255, 61]), ("user.empty"u8.ToArray(), [])],
        });
        RoundTrip(new TarHeaderValues { Name = "d"u8.ToArray(), Type = TarEntryType.CharacterDevice, DeviceMajor = 4095, DeviceMinor = 1048575 });
        RoundTrip(new TarHeaderValues { Name = "l"u8.ToArray(), Type = TarEntryType.HardLink, LinkName = Encoding.ASCII.GetBytes(new string('x', 500)) });
    }

    [Fact]
    public void Begin_SizeBeyondOctal_IsInThePaxHeader()
    {
        var output = new MemoryStream();
        new TarWriter(output).Begin(new TarHeaderValues { Name = "big"u8.ToArray(), Type = TarEntryType.RegularFile, Size = 0x200000000L });
        output.Position = 0;
        using var reader = new TarReader(output);
        Assert.True(reader.Next());
        Assert.Equal(0x200000000L, reader.Entry.Size);
    }

    [Fact]
    public void Export_OfATree_IsTheTreeAgain()
    {
        Assert.True(Environment.IsPrivilegedProcess, "owners and devices are real here: run this as root");
        var source = Path.Combine(_folder.FullName, "source");
        Run("bash", "-ec", """
            mkdir -p "$0/b/deep/er" "$0/a"; cd "$0"
            printf 'content' >b/file; ln b/file a/twin; ln b/file b/third; ln -s ../b/file a/link; ln -s /nowhere a/dangling; ln a/link b/link-twin
            mkfifo b/fifo; mknod b/null c 1 3; touch $'b/\xff\xfe'; touch "b/$(printf 'n%.0s' {1..255})"; chmod 4751 b/file; chown -h 12:34 a/link; chown 3000000:4000000 b/deep
            truncate -s 300000 b/zeros; touch -d @1.123456789 b/zeros; chmod 1777 a; setfattr -n user.note -v 0x0a00ff b/file 2>/dev/null || true
            """, source);
        var tar = Path.Combine(_folder.FullName, "tree.tar");
        using (var file = File.Create(tar))
        {
            var archive = new TarWriter(file);
            new TreeExport(archive).Write(source, TestContext.Current.CancellationToken);
            archive.End();
        }

        // By GNU tar, and by the engine's own unpacker.
        var (copy, unpacked) = (Path.Combine(_folder.FullName, "copy"), Path.Combine(_folder.FullName, "unpacked"));
        Directory.CreateDirectory(copy);
        Directory.CreateDirectory(unpacked);
        Run("tar", "-xpf", tar, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", copy);
        using (var unpacker = new LayerUnpacker(unpacked, UnpackMode.Layer, new UnpackOptions()))
        using (var file = File.OpenRead(tar)) unpacker.Apply(file, TestContext.Current.CancellationToken);

        const string list = "cd \"$0\"; LC_ALL=C find . -mindepth 1 \\( -type d -printf '%p %y %m %U %G %T@\\n' -o -printf '%p %y %m %U %G %s %n %l %T@\\n' \\) | LC_ALL=C sort; find . -type f -exec sha256sum {} + | LC_ALL=C sort; getfattr -Rd -m - . 2>/dev/null || true; stat -c '%t %T' b/null";
        var expected = Run("bash", "-c", list, source);
        Assert.Contains("a/twin", expected, StringComparison.Ordinal);
        Assert.Equal(expected, Run("bash", "-c", list, copy));
        Assert.Equal(expected, Run("bash", "-c", list, unpacked));
    }

    [Fact]
    public void Export_RandomEntries_ComeBack()
    {
        var random = new System.Random(20261121);
        for (var i = 0; i < 2000; i++)
        {
            var name = new byte[random.Next(1, 400)];
            random.NextBytes(name);
            for (var at = 0; at < name.Length; at++) if (name[at] == 0 || (name[at] == '/' && (at == 0 || at == name.Length - 1))) name[at] = (byte)'x';
            RoundTrip(new TarHeaderValues
            {
                Name = name, Type = TarEntryType.RegularFile, Mode = (uint)random.Next(0, 0x1000), Uid = (uint)random.NextInt64(0, uint.MaxValue), Gid = (uint)random.Next(),
                Modified = new TarTime(random.NextInt64(-1L << 40, 1L << 40), random.Next(2) * random.Next(1_000_000_000)),
            });
        }
    }

    /// <summary>With names that .NET cannot.</summary>
    public void Dispose() => TreeRemoval.Remove(_folder.FullName);

    private static void RoundTrip(in TarHeaderValues values)
    {
        var output = new MemoryStream();
        var writer = new TarWriter(output);
        writer.Begin(values);
        writer.Begin(new TarHeaderValues { Name = "after"u8.ToArray(), Type = TarEntryType.RegularFile });
        writer.End();
        Assert.Equal(0, output.Length % TarWriter.Block);
        output.Position = 0;
        using var reader = new TarReader(output);
        Assert.True(reader.Next());
        var entry = reader.Entry;
        Assert.Equal(values.Name.ToArray(), entry.Name.ToArray());
        Assert.Equal(values.LinkName.ToArray(), entry.LinkName.ToArray());
        Assert.Equal((values.Type, values.Mode, values.Uid, values.Gid, values.Size, values.Modified), (entry.Type, entry.Mode, entry.Uid, entry.Gid, entry.Size, entry.Modified));
        Assert.Equal((values.DeviceMajor, values.DeviceMinor), (entry.DeviceMajor, entry.DeviceMinor));
        Assert.Equal((values.Attributes ?? []).Select(each => $"{Convert.ToHexString(each.Name)}={Convert.ToHexString(each.Value)}"),
            entry.Attributes.Select(each => $"{Convert.ToHexString(each.Name.Span)}={Convert.ToHexString(each.Value.Span)}"));
        Assert.True(reader.Next());
        Assert.Equal("after", Encoding.ASCII.GetString(reader.Entry.Name.Span));
        Assert.False(reader.Next());
    }

    private static string Run(string program, params string[] words)
    {
        var start = new ProcessStartInfo(program, words) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {errors.Result}");
        return output;
    }
}
