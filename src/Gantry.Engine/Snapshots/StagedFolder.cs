using Gantry.Engine.Content;
using Gantry.Engine.Unpack;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// How a folder of the store comes and goes: made as <c>staging/NAME</c> under the lock <c>staging/NAME.lock</c>, visible by a rename; removed by a rename back
/// into staging. So a folder that is visible is whole, and what lies in staging without a living owner is rubbish.
/// </summary>
internal static class StagedFolder
{
    private const string LockSuffix = ".lock", TrashPrefix = "trash-";

    /// <summary>False where the target is there, or was made by somebody else while this one waited.</summary>
    public static async Task<bool> MakeAsync(StoreLayout layout, Durability durability, string name, string target, Func<string, Task> fill, CancellationToken ct)
    {
        var folder = Path.Combine(layout.Staging, name);
        using var held = await FileLock.TakeAsync(folder + LockSuffix, ct);
        try
        {
            if (Directory.Exists(target)) return false;
            TreeRemoval.Remove(folder);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Failpoint.Hit("staging-made");
            await fill(folder);
            Failpoint.Hit("staging-filled");
            ct.ThrowIfCancellationRequested();
            durability.MarkPending(name);
            StoreFile.Rename(folder, target);
            Failpoint.Hit("folder-published");
            return true;
        }
        finally
        {
            TreeRemoval.Remove(folder);
            held.Remove();
        }
    }

    /// <summary>Takes a folder out of sight at once; the caller empties the trash when he has time. Null where there is none.</summary>
    public static string? Hide(StoreLayout layout, string target)
    {
        if (!Directory.Exists(target)) return null;
        var trash = Path.Combine(layout.Staging, $"{TrashPrefix}{Guid.NewGuid():N}");
        StoreFile.Rename(target, trash);
        return trash;
    }

    /// <summary>Removes what processes that are gone have left. Whatever somebody still works on is locked, and stays.</summary>
    public static void RemoveLeftovers(StoreLayout layout)
    {
        var names = Directory.EnumerateFileSystemEntries(layout.Staging)
            .Select(path => path.EndsWith(LockSuffix, StringComparison.Ordinal) ? path[..^LockSuffix.Length] : path)
            .Distinct(StringComparer.Ordinal).ToList();
        foreach (var folder in names)
        {
            if (FileLock.TryTake(folder + LockSuffix) is not { } dead) continue;
            TreeRemoval.Remove(folder);
            dead.Remove();
        }
    }
}
