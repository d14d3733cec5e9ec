using System.Text;

namespace Gantry.Core.Look.Packages;

/// <summary>
/// Finds the lists of packages among a layer's files. Read are dpkg's status, whole or a file a package; apk's installed; rpm's rpmdb.sqlite, Packages.db (ndb) and
/// Packages (Berkeley's hash). Not read are lists that are hard links or sparse, and an rpmdb.sqlite's changes that are still in its -wal file.
/// </summary>
internal sealed class PackageReading
{
    /// <summary>Characters of a name, a version, an architecture.</summary>
    public const int MaxText = 200;

    /// <summary>Of a database's headers, read or copied, each time that something leads to one: many may lead to the same.</summary>
    public const long MaxHeaders = 256L << 20;

    private const int MaxFiles = 10_000;

    private const string DpkgFolder = "var/lib/dpkg/status.d/";

    private static readonly string[] RpmFolders = ["var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"];

    private readonly Dictionary<string, PackageFile> _files = new(StringComparer.Ordinal);
    private readonly PackageRoom _room = new();

    /// <summary>One for each path, of the entry that came last.</summary>
    public IEnumerable<PackageFile> Files => _files.Values;

    /// <summary>Whether a path is one that lists are looked for at.</summary>
    public static bool IsList(ImagePath path) => Find(path) is not null;

    /// <summary>Null for a file that is no list.</summary>
    public IPackageList? Begin(ImagePath path, long size)
    {
        if (Find(path) is not { } manager || (_files.Count >= MaxFiles && !_files.ContainsKey(path.ToString()))) return null;
        if (manager != "rpm") return new TextPackageList(manager, new FoundPackages(_room));
        if (size <= RpmPackageList.MaxBytes) return new RpmPackageList(size, new FoundPackages(_room));
        _files[path.ToString()] = new PackageFile(path.ToString(), [], $"a list of more than {RpmPackageList.MaxBytes} bytes is not read");
        return null;
    }

    public void End(ImagePath path, IPackageList list)
    {
        string? fault = null;
        try
        {
            list.Finish();
        }
        catch (InvalidDataException broken)
        {
            fault = broken.Message;
        }

        _files[path.ToString()] = new PackageFile(path.ToString(), list.Found.Packages, fault ?? list.Found.Fault);
    }

    private static string? Find(ImagePath path)
    {
        if (!Ascii.IsValid(path.Bytes)) return null;
        var text = Encoding.ASCII.GetString(path.Bytes);
        if (text == "var/lib/dpkg/status") return "dpkg";
        if (text.StartsWith(DpkgFolder, StringComparison.Ordinal) && !text.EndsWith(".md5sums", StringComparison.Ordinal))
            return text.AsSpan(DpkgFolder.Length).Contains('/') ? null : "dpkg";
        if (text is "lib/apk/db/installed" or "usr/lib/apk/db/installed") return "apk";
        var folder = Array.Find(RpmFolders, folder => text.StartsWith(folder, StringComparison.Ordinal));
        return folder is not null && text[folder.Length..] is "rpmdb.sqlite" or "Packages" or "Packages.db" ? "rpm" : null;
    }
}
