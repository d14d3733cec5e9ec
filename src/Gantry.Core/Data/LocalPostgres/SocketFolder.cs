using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.Core.Data;

/// <summary>
/// Where the cluster's socket lies: in the cluster's own folder (0700) where its path fits into a socket address,
/// else in a private folder with a short path, named by a hash of the data folder's.
/// </summary>
internal static partial class SocketFolder
{
    internal const int Port = 5432;

    // sockaddr_un has 108 bytes, one of them for the closing zero.
    private const int LongestAddressBytes = 107;
    private static readonly int LongestFolderBytes = LongestAddressBytes - $"/.s.PGSQL.{Port}".Length;

    /// <summary>Null where the cluster's own folder will do.</summary>
    internal static string? Elsewhere(string clusterFolder, PostgresAccount account)
    {
        // A comma or a colon in a host means something to both ends, so only plain paths are used as they are.
        if (Posix.ByteLength(clusterFolder) <= LongestFolderBytes && PlainPath().IsMatch(clusterFolder)) return null;

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(clusterFolder)))[..16];
        var folder = Path.Combine(Parent(), $"gantry-{account.UserId}-{hash}");
        if (Posix.Identify(folder, follow: false) is null) Make(folder, account);
        Check(folder, account);
        return folder;
    }

    private static string Parent()
    {
        if (Posix.EffectiveUserId() == 0 && Directory.Exists("/run")) return "/run";
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return runtime is { Length: > 0 and < 48 } && PlainPath().IsMatch(runtime) && Directory.Exists(runtime) ? runtime : "/tmp";
    }

    private static void Make(string folder, PostgresAccount account)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (account.DropsRoot) Posix.ChangeOwner(folder, account.UserId, account.GroupId);
    }

    // In /tmp anybody can have made it first: a folder of another's, or a link, would let them stand in for the database.
    private static void Check(string folder, PostgresAccount account)
    {
        var info = new DirectoryInfo(folder);
        var owner = Posix.Identify(folder, follow: false);
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var isPrivate = info.Exists && info.LinkTarget is null && (info.UnixFileMode & others) == UnixFileMode.None;
        if (owner?.UserId == account.UserId && isPrivate) return;

        throw new LocalPostgresException(
            $"{folder} should be the private folder of this server's database socket (the data folder's own path is too " +
            $"long or has unusual characters), but it belongs to somebody else or is open to others: remove it, or " +
            "choose a shorter --Data:Root.");
    }

    [GeneratedRegex("^/[A-Za-z0-9/._+-]*$", RegexOptions.None, 1000)]
    private static partial Regex PlainPath();
}
