using Gantry.Engine.Content;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// Which layers and chains may not be on the disk yet. Unpacked files are not synced one by one: a layer gets an empty marker, <c>pending/BOOT/NAME</c>, after its last
/// byte was written and before it is visible, and loses it after one syncfs. A process that dies does not matter, the kernel still has the bytes. A
/// machine that dies does: at the next start the markers are of another boot, and what they name is dropped and unpacked again from its blob.
/// </summary>
/// <remarks>The marker has no content, so that no file system has it without the entry; file systems with a journal keep the order of entries.</remarks>
internal sealed class Durability(StoreLayout layout, string boot)
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    private string OwnFolder => Path.Combine(layout.Pending, boot);

    public static string CurrentBoot() => File.ReadAllText(BootFile).Trim();

    /// <summary>To be called when all of it is written and before it is visible.</summary>
    public void MarkPending(string name)
    {
        Directory.CreateDirectory(OwnFolder);
        File.Create(Path.Combine(OwnFolder, name)).Dispose();
    }

    /// <summary>Nothing of this boot waits for the disk.</summary>
    public bool IsSettled => !Directory.Exists(OwnFolder) || !Directory.EnumerateFiles(OwnFolder).Any();

    /// <summary>Makes everything durable that is visible now: one syncfs, however many layers wait.</summary>
    public void Settle()
    {
        if (IsSettled) return;
        var written = Directory.GetFiles(OwnFolder);
        StoreFile.SyncFileSystem(layout.Root);
        Failpoint.Hit("settled");
        foreach (var marker in written) File.Delete(marker);
    }

    /// <summary>What an earlier boot left unsettled: name and marker. The marker goes after what it names.</summary>
    public IEnumerable<(string Name, string Marker)> Lost() => Directory.EnumerateDirectories(layout.Pending)
        .Where(folder => Path.GetFileName(folder) != boot)
        .SelectMany(Directory.GetFiles, (_, marker) => (Path.GetFileName(marker), marker));

    /// <summary>The empty folders of earlier boots.</summary>
    public void RemoveEmpty()
    {
        foreach (var folder in Directory.EnumerateDirectories(layout.Pending).Where(folder => Path.GetFileName(folder) != boot).ToList())
        {
            if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
    }
}
