using System.Text;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Layers.Tests.Tar;

/// <summary>An entry as a test looks at it: a copy, with the content where it belongs and zeros in the holes.</summary>
internal sealed record SeenEntry(
    TarEntryType Type, byte[] RawName, string Name, string LinkName, uint Mode, uint Uid, uint Gid, long Size, TarTime Modified, uint Major, uint Minor,
    (string Name, byte[] Value)[] Attributes, byte[] Content)
{
    public string Text => Encoding.UTF8.GetString(Content);
}

/// <summary>Whole archives in one call.</summary>
internal static class Entries
{
    public static List<SeenEntry> Of(TarBytes tar, TarLimits? limits = null) => Of(tar.ToStream(), limits);

    public static SeenEntry One(TarBytes tar) => Assert.Single(Of(tar));

    public static LayerException Refused(TarBytes tar, LayerFault fault = LayerFault.Archive, TarLimits? limits = null)
    {
        var failure = Assert.Throws<LayerException>(() => Of(tar, limits));
        Assert.Equal(fault, failure.Fault);
        return failure;
    }

    public static List<SeenEntry> Of(Stream stream, TarLimits? limits = null)
    {
        using var reader = new TarReader(stream, limits);
        var seen = new List<SeenEntry>();
        while (reader.Next()) seen.Add(Copy(reader));
        return seen;
    }

    public static SeenEntry Copy(TarReader reader)
    {
        var entry = reader.Entry;
        return new SeenEntry(
            entry.Type, entry.Name.ToArray(), Encoding.Latin1.GetString(entry.Name.Span), Encoding.Latin1.GetString(entry.LinkName.Span), entry.Mode, entry.Uid,
            entry.Gid, entry.Size, entry.Modified, entry.DeviceMajor, entry.DeviceMinor,
            [.. entry.Attributes.Select(attribute => (Encoding.Latin1.GetString(attribute.Name.Span), attribute.Value.ToArray()))], ContentOf(reader));
    }

    private static byte[] ContentOf(TarReader reader)
    {
        // A claimed size is not believed by the tests either.
        var content = new byte[reader.Entry.Size <= 1 << 22 ? reader.Entry.Size : 0];
        var buffer = new byte[4096];
        while (reader.Read(buffer, out var offset) is > 0 and var count)
        {
            if (content.Length > 0) buffer.AsSpan(0, count).CopyTo(content.AsSpan((int)offset));
        }

        return content;
    }
}
