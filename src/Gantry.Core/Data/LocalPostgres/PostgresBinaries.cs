using System.Text.RegularExpressions;

namespace Gantry.Core.Data;

/// <summary>One installed PostgreSQL: a folder where everything needed lies together and runs.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    internal const int OldestMajor = 13;

    private static readonly string[] Needed = ["initdb", "postgres", "pg_ctl", "pg_controldata"];

    internal string Initdb => Path.Combine(Folder, "initdb");

    internal string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>Every usable installation, the preferred one first: those on PATH, then the newest of Debian's.</summary>
    internal static async Task<IReadOnlyList<PostgresBinaries>> FindAllAsync(
        IReadOnlyList<string>? folders, CancellationToken ct)
    {
        List<PostgresBinaries> found = [];
        foreach (var folder in (folders ?? DefaultFolders()).Select(WhereTheServerReallyIs).Distinct())
        {
            if (folder is null || !Needed.All(name => File.Exists(Path.Combine(folder, name)))) continue;
            var (exitCode, output) = await ChildCommand.RunAsync(Path.Combine(folder, "postgres"), ["--version"], ct);
            if (exitCode != 0 || VersionPattern().Match(output) is not { Success: true } match) continue;
            var major = int.Parse(match.Groups["major"].ValueSpan);
            if (major >= OldestMajor) found.Add(new PostgresBinaries(folder, major));
        }

        return found;
    }

    internal static LocalPostgresException NotFound() => new(
        "No connection string is configured and no PostgreSQL (13 or later) is installed for the server to run its own: " +
        "apt-get install postgresql, or set ConnectionStrings:Registry to use a PostgreSQL of yours.");

    private static IEnumerable<string> DefaultFolders()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var folder in path.Split(':').Where(f => f.StartsWith('/'))) yield return folder;

        const string debian = "/usr/lib/postgresql";
        if (!Directory.Exists(debian)) yield break;
        foreach (var version in Directory.GetDirectories(debian)
                     .OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var major) ? major : 0))
        {
            yield return Path.Combine(version, "bin");
        }
    }

    // A folder on PATH may hold a stray copy of one program, or links to the real folder: only the latter count.
    private static string? WhereTheServerReallyIs(string folder)
    {
        try
        {
            var postgres = new FileInfo(Path.Combine(folder, "postgres"));
            if (!postgres.Exists) return null;
            return (postgres.ResolveLinkTarget(returnFinalTarget: true) ?? postgres) is FileInfo real ? real.DirectoryName : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\(PostgreSQL\) (?<major>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VersionPattern();
}
