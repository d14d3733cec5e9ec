using FsCheck;
using FsCheck.Fluent;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>What is written is what is read, whatever it is.</summary>
public sealed class TarReaderPropertyTests
{
    [Fact]
    public void Next_AnyFiles_ComeBackAsTheyWere() => Prop.ForAll<(byte[] Name, byte[] Content, uint Uid, int Time)[]>(files =>
    {
        var tar = new TarBytes();
        var clean = files.Select(file => (
            Name: (byte[])[.. (file.Name ?? []).Where(part => part != 0), 1], Content: file.Content ?? [], Uid: file.Uid % uint.MaxValue, file.Time)).ToArray();
        foreach (var (name, content, uid, time) in clean)
        {
            if (name.Length > 100) tar.LongName(name);
            tar.File(name.AsSpan(0, Math.Min(100, name.Length)).ToArray(), content, header => header.Uid(uid).Modified(time));
        }

        var seen = Entries.Of(tar.End());
        Assert.Equal(clean.Length, seen.Count);
        foreach (var (file, entry) in clean.Zip(seen))
        {
            Assert.Equal(file.Name, entry.RawName);
            Assert.Equal(file.Content, entry.Content);
            Assert.Equal((file.Uid, (long)file.Time), (entry.Uid, entry.Modified.Seconds));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Next_AnyRecords_ComeBackAsTheyWere() => Prop.ForAll<byte[], byte[], byte[]>((name, key, value) =>
    {
        byte[] path = [.. (name ?? []).Where(part => part != 0), 1];
        byte[] attribute = [.. "SCHILY.xattr.user."u8, .. (key ?? []).Where(part => part is not (0 or (byte)'=')).Take(200)];
        var entry = Entries.One(new TarBytes().Pax(("path", path), (attribute, value ?? [])).Directory("d"));
        Assert.Equal(path, entry.RawName);
        Assert.Equal(value ?? [], Assert.Single(entry.Attributes).Value);
        Assert.Equal(attribute["SCHILY.xattr.".Length..], System.Text.Encoding.Latin1.GetBytes(entry.Attributes[0].Name));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Read_AnySparseMap_PutsThePiecesWhereTheyBelong() => Prop.ForAll<(byte Hole, byte Data)[], byte>((pieces, tail) =>
    {
        var map = new List<(long, long)>();
        var content = new List<byte>();
        var stored = new List<byte>();
        foreach (var (hole, data) in pieces)
        {
            content.AddRange(new byte[hole]);
            map.Add((content.Count, data));
            var bytes = Enumerable.Range(0, data).Select(index => (byte)(index | 1)).ToArray();
            content.AddRange(bytes);
            stored.AddRange(bytes);
        }

        content.AddRange(new byte[tail]);
        var all = stored.ToArray();
        var tar = new TarBytes().OldSparse("s", content.Count, [.. map], all).PaxSparse00("s", content.Count, [.. map], all)
            .PaxSparse01("s", content.Count, [.. map], all).PaxSparse10("s", content.Count, [.. map], all).File("last");
        var seen = Entries.Of(tar.End());
        Assert.Equal(5, seen.Count);
        Assert.All(seen[..4], entry => Assert.Equal(content, entry.Content));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void TryParseTime_AnyTime_IsReadBack() => Prop.ForAll<long, uint>((seconds, fraction) =>
    {
        var nanoseconds = (int)(fraction % 1_000_000_000);
        var exact = (Int128)seconds * 1_000_000_000 + nanoseconds;
        var absolute = Int128.Abs(exact);
        var text = $"{(exact < 0 ? "-" : "")}{absolute / 1_000_000_000}.{(int)(absolute % 1_000_000_000):D9}";
        Assert.True(TarNumber.TryParseTime(System.Text.Encoding.ASCII.GetBytes(text), out var time));
        Assert.Equal(new TarTime(seconds, nanoseconds), time);
    }).QuickCheckThrowOnFailure();
}
