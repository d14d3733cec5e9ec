using System.Globalization;
using System.Text;
using Gantry.Layers;

namespace Gantry.Engine.Bundles;

/// <summary>
/// Finds out who <c>user[:group]</c> is, by the image's own passwd and group (image-spec, <c>Config.User</c>). A number is a number: one out of range is refused
/// and never looked up as a name, for passwd is the image's and may have a line for <c>4294967296</c> (CVE-2026-46680).
/// </summary>
internal static class ImageUser
{
    /// <summary>Real ones have a few kilobytes; those of a big site some hundred.</summary>
    public const int MaxFileBytes = 1 << 20;

    /// <summary>As many groups as the kernel takes for a process.</summary>
    private const int MaxGroups = 65536;

    /// <exception cref="EngineException">Refused: a number out of range, no regular file. NotFound: no such name. TooLarge.</exception>
    public static ContainerUser Resolve(string user, string root)
    {
        var colon = user.IndexOf(':', StringComparison.Ordinal);
        var (name, group) = colon < 0 ? (user, "") : (user[..colon], user[(colon + 1)..]);
        if (name.Length == 0) name = "0";

        var isNumber = TryNumber(name, "user", out var uid);
        var account = Lines(root, "etc/passwd", 7).Select(Account.Of).FirstOrDefault(each => each is not null && (isNumber ? each.Uid == uid : each.Name == name));
        if (account is null && !isNumber) throw Unknown("user", name, "etc/passwd");
        if (!isNumber) uid = account!.Uid;

        if (group.Length > 0)
        {
            if (TryNumber(group, "group", out var gid)) return new ContainerUser(uid, gid, [gid], account?.Home);
            var found = Lines(root, "etc/group", 4).Where(line => line[0] == group).Select(line => Id(line[2])).FirstOrDefault(id => id is not null);
            return found is { } known ? new ContainerUser(uid, known, [known], account?.Home) : throw Unknown("group", group, "etc/group");
        }

        var primary = account?.Gid ?? 0;
        IEnumerable<uint> member = account is null ? [] : Lines(root, "etc/group", 4)
            .Where(line => line[3].Split(',').Contains(account.Name, StringComparer.Ordinal)).Select(line => Id(line[2])).OfType<uint>();
        return new ContainerUser(uid, primary, member.Prepend(primary).Distinct().Take(MaxGroups).ToList(), account?.Home);
    }

    /// <summary>True for whatever a person would call a number; it is then a valid one, or the image is refused.</summary>
    private static bool TryNumber(string text, string what, out uint id)
    {
        id = 0;
        var digits = text[0] is '+' or '-' ? text.AsSpan(1) : text;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9')) return false;
        id = Id(text) ?? throw new EngineException(EngineFault.Refused, $"the {what} '{Shown(text)}' is not a number from 0 to {int.MaxValue}");
        return true;
    }

    private static uint? Id(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (uint)id : null;

    /// <summary>Lines with as many fields as they must have; others are comments, or damaged, and no user.</summary>
    private static IEnumerable<string[]> Lines(string root, string file, int fields)
    {
        var content = RootFile.Read(root, file, MaxFileBytes);
        if (content is null) yield break;
        using var reader = new StringReader(Encoding.UTF8.GetString(content));
        while (reader.ReadLine() is { } line)
        {
            var parts = line.Split(':');
            if (parts.Length >= fields && parts[0].Length > 0) yield return parts;
        }
    }

    private static EngineException Unknown(string what, string name, string file) =>
        new(EngineFault.NotFound, $"the image has no {what} '{Shown(name)}' in its {file}");

    private static string Shown(string text) => Printable.Of(Encoding.UTF8.GetBytes(text.Length > 100 ? text[..100] : text));

    private sealed record Account(string Name, uint Uid, uint Gid, string? Home)
    {
        public static Account? Of(string[] line) => Id(line[2]) is { } uid && Id(line[3]) is { } gid
            ? new Account(line[0], uid, gid, line[5].StartsWith('/') ? line[5] : null) : null;
    }
}
