using System.Text;

namespace Gantry.Core.Look.Packages;

/// <summary>Paragraphs of fields, a line each: dpkg's and apk's. Memory: one line of at most 1 KiB, what is longer is passed over.</summary>
internal sealed class TextPackageList(string manager, FoundPackages found) : IPackageList
{
    private const int MaxLine = 1024;

    private readonly bool _isApk = manager == "apk";
    private readonly byte[] _line = new byte[MaxLine];
    private int _length;
    private string? _name, _version, _architecture;
    private bool _isRemoved;

    public FoundPackages Found => found;

    public void Add(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var end = content.IndexOf((byte)'\n');
            var piece = end < 0 ? content : content[..end];
            if (_length + piece.Length <= MaxLine)
            {
                piece.CopyTo(_line.AsSpan(_length));
                _length += piece.Length;
            }
            else _length = MaxLine + 1;

            if (end < 0) return;
            EndLine();
            content = content[(end + 1)..];
        }
    }

    public void Finish()
    {
        EndLine();
        EndParagraph();
    }

    private void EndLine()
    {
        var line = _line.AsSpan(0, Math.Min(_length, MaxLine)).TrimEnd((byte)'\r');
        if (_length == 0) EndParagraph();
        else if (_length <= MaxLine && line.IndexOf((byte)':') is var colon and > 0) Set(line[..colon], line[(colon + 1)..]);
        _length = 0;
    }

    private void Set(ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
    {
        var isName = field.SequenceEqual(_isApk ? "P"u8 : "Package"u8);
        if (isName) _name = Text(value);
        else if (field.SequenceEqual(_isApk ? "V"u8 : "Version"u8)) _version = Text(value);
        else if (field.SequenceEqual(_isApk ? "A"u8 : "Architecture"u8)) _architecture = Text(value);
        else if (!_isApk && field.SequenceEqual("Status"u8)) _isRemoved = !Text(value).EndsWith(" installed", StringComparison.Ordinal);
    }

    private void EndParagraph()
    {
        if (_name is not null && _version is not null && !_isRemoved) found.Add(new ImagePackage(manager, _name, _version, _architecture));
        (_name, _version, _architecture, _isRemoved) = (null, null, null, false);
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.Latin1.GetString(value.Trim((byte)' '));
}
