using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Gantry.Layers.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>Archives that GNU tar makes, held against the files it made them of. Needs tar (Debian: tar).</summary>
public sealed partial class GnuTarTests : IDisposable
{
    private static readonly byte[] Odd = [(byte)'o', 0xFF, 0xFE, (byte)' ', (byte)'\n', 0x80];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gantry-gnutar-");

    // The framework does not find the files whose names are no UTF-8.
    public void Dispose() => Run("rm", "-rf", _root.FullName);

    [Theory]
    [Trait("Pull", "B15")]
    [Trait("Pull", "B16")]
    [InlineData("gnu")]
    [InlineData("oldgnu")]
    [InlineData("pax")]
    [InlineData("ustar")]
    [InlineData("v7")]
    public void Next_ArchiveOfEveryFormat_HasEveryFile(string format)
    {
        var hasLongNames = format is "gnu" or "oldgnu" or "pax";
        Write("empty", 0);
        Write("small", 1000);
        Write("large", 300_000);
        Write("blocks", 1024);
        Write("deep/er/file", 10);
        if (format != "v7") Write($"{new string('p', 90)}/{new string('q', 60)}", 20);
        if (hasLongNames) Write($"{new string('x', 200)}/{new string('y', 250)}", 30);
        if (hasLongNames) File.CreateSymbolicLink(At("long-link"), new string('t', 300));
        File.CreateSymbolicLink(At("link"), "small");
        File.CreateSymbolicLink(At("dangling"), "/no/where");
        Run("ln", "small", "hard");
        if (format != "v7") Run("mkfifo", "-m", "0640", "fifo");
        Run("chmod", "4751", "blocks");

        var entries = Entries.Of(new MemoryStream(Tar($"--format={format}", "--sort=name", "--owner=1234", "--group=70000", "--mtime=@1700000000", ".")))
            .ToDictionary(entry => entry.Name.TrimEnd('/'));

        var expected = _root.EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Select(info => "./" + Path.GetRelativePath(_root.FullName, info.FullName));
        Assert.Equal(expected.Append(".").Order(StringComparer.Ordinal), entries.Keys.Order(StringComparer.Ordinal));
        foreach (var entry in entries.Values)
        {
            Assert.Equal((1234u, new TarTime(1_700_000_000, 0)), (entry.Uid, entry.Modified));
            if (entry.Type == TarEntryType.RegularFile) Assert.Equal(File.ReadAllBytes(At(entry.Name)), entry.Content);
            if (entry.Type is not (TarEntryType.SymbolicLink or TarEntryType.HardLink)) Assert.Equal((uint)File.GetUnixFileMode(At(entry.Name)), entry.Mode);
            if (entry.Type == TarEntryType.SymbolicLink) Assert.Equal(new FileInfo(At(entry.Name)).LinkTarget, entry.LinkName);
        }

        Assert.Equal((TarEntryType.HardLink, "./hard"), (entries["./small"].Type, entries["./small"].LinkName));
        if (format != "v7") Assert.Equal(TarEntryType.Fifo, entries["./fifo"].Type);
        Assert.Equal(TarEntryType.Directory, entries["./deep/er"].Type);
        Assert.Equal(70_000u, entries["./large"].Gid);
    }

    [Theory]
    [InlineData("--format=gnu")]
    [InlineData("--format=oldgnu")]
    [InlineData("--format=pax", "--sparse-version=0.0")]
    [InlineData("--format=pax", "--sparse-version=0.1")]
    [InlineData("--format=pax", "--sparse-version=1.0")]
    public void Read_SparseFilesOfGnuTar_AreWhole(params string[] options)
    {
        // Two pieces, more than a header or a block of the map holds, nothing but a hole, and a hole at the end.
        Holes("two", 3_000_000, 2);
        Holes("many", 3_000_000, 120);
        Holes("hole", 1_000_000, 0);
        Holes(new string('n', 180), 500_000, 3);
        Write("solid", 5000);

        var entries = Entries.Of(new MemoryStream(Tar([.. options, "--sparse", "--hole-detection=raw", "."])))
            .Where(entry => entry.Type == TarEntryType.RegularFile).ToList();

        Assert.Equal(5, entries.Count);
        foreach (var entry in entries) Assert.Equal(File.ReadAllBytes(At(entry.Name)), entry.Content);
    }

    [Theory]
    [Trait("Pull", "B14")]
    [InlineData("gnu")]
    [InlineData("pax")]
    [InlineData("ustar")]
    public void Next_NamesThatAreNoText_KeepTheirBytes(string format)
    {
        // The framework cannot name such a file; a shell can.
        Run("sh", "-c", $"printf x > \"$(printf '{string.Concat(Odd.Select(part => $"\\{Convert.ToString(part, 8).PadLeft(3, '0')}"))}')\"");
        Assert.Contains(Entries.Of(new MemoryStream(Tar($"--format={format}", "."))), entry => entry.RawName.AsSpan(2).SequenceEqual(Odd));
    }

    [Fact]
    [Trait("Pull", "B25")]
    public void Next_TimesOfPax_HaveNanoseconds()
    {
        Write("file", 1);
        Write("early", 1);
        Run("touch", "-d", "2001-02-03 04:05:06.123456789 UTC", "file");
        Run("touch", "-d", "1960-01-01 00:00:00.25 UTC", "early");
        var entries = Entries.Of(new MemoryStream(Tar("--format=pax", "file", "early")));
        Assert.Equal(new TarTime(981_173_106, 123_456_789), entries[0].Modified);
        Assert.Equal(new TarTime(-315_619_200, 250_000_000), entries[1].Modified);
        Assert.Equal(-315_619_200, Entries.Of(new MemoryStream(Tar("--format=gnu", "early")))[0].Modified.Seconds);
    }

    [Fact]
    [Trait("Pull", "B24")]
    public void Next_LargeOwners_AreRead()
    {
        Write("file", 1);
        foreach (var format in (string[])["pax", "gnu"])
        {
            var entry = Entries.Of(new MemoryStream(Tar($"--format={format}", "--owner=:4294967294", "--group=:2147483648", "file")))[0];
            Assert.Equal((4294967294u, 2147483648u), (entry.Uid, entry.Gid));
        }
    }

    [Fact]
    [Trait("Pull", "B32")]
    public void Next_ExtendedAttributesOfGnuTar_AreRead()
    {
        Write("file", 1);
        byte[] any = [.. Enumerable.Range(0, 256).Select(part => (byte)part)];
        Assert.Equal(0, SetAttribute(At("file"), "user.any", any, (nuint)any.Length, 0));
        Assert.Equal(0, SetAttribute(At("file"), "user.none", [], 0, 0));
        var attributes = Entries.Of(new MemoryStream(Tar("--format=pax", "--xattrs", "file")))[0].Attributes.OrderBy(attribute => attribute.Name).ToList();
        Assert.Equal(["user.any", "user.none"], attributes.Select(attribute => attribute.Name));
        Assert.Equal(any, attributes[0].Value);
        Assert.Empty(attributes[1].Value);
    }

    [LibraryImport("libc", EntryPoint = "setxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetAttribute(string path, string name, byte[] value, nuint size, int flags);

    private string At(string name) => Path.Combine(_root.FullName, name);

    private void Write(string name, int size)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        var content = new byte[size];
        new Random(size).NextBytes(content);
        File.WriteAllBytes(At(name), content);
    }

    private void Holes(string name, int size, int pieces)
    {
        using var file = File.Create(At(name));
        file.SetLength(size);
        for (var piece = 0; piece < pieces; piece++)
        {
            file.Position = (long)piece * (size / Math.Max(1, pieces)) / 4096 * 4096;
            file.Write(Encoding.ASCII.GetBytes($"piece {piece}").AsSpan());
        }
    }

    private byte[] Tar(params string[] arguments) => Run("tar", ["-cf", "-", .. arguments]);

    private byte[] Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = _root.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command} failed: {error.Result}");
        return output.ToArray();
    }
}
