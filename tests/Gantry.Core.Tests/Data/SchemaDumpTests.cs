using System.Diagnostics;
using System.Text.RegularExpressions;
using Gantry.Core.Data;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Core.Tests.Data;

public sealed partial class SchemaDumpTests
{
    private const string Refresh =
        "UPDATE_SCHEMA=1 dotnet test tests/Gantry.Core.Tests --filter FullyQualifiedName~SchemaDumpTests";

    [Fact]
    public async Task SchemaFile_IsTheDumpOfAllMigrations()
    {
        var file = Path.Combine(RepositoryRoot(), "migrations", "schema.sql");
        await using var database = await TestDatabase.CreateAsync();
        var dump = Normalise(await DumpAsync(database.ConnectionString));

        if (Environment.GetEnvironmentVariable("UPDATE_SCHEMA") == "1") await File.WriteAllTextAsync(file, dump);

        var kept = File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
        if (kept != dump) Assert.Fail($"migrations/schema.sql is not what the migrations make ({FirstDifference(kept, dump)}). Refresh it: {Refresh}");
    }

    private static async Task<string> DumpAsync(string connectionString)
    {
        var binaries = await PostgresBinaries.FindAllAsync(folders: null, CancellationToken.None);
        var connection = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(Path.Combine(binaries[0].Folder, "pg_dump"),
            ["--schema-only", "--no-owner", "--no-privileges", "--host", connection.Host!, "--username", connection.Username!, connection.Database!])
        {
            UseShellExecute = false, RedirectStandardOutput = true, Environment = { ["PGPASSWORD"] = connection.Password },
        };
        using var process = Process.Start(start)!;
        var dump = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return dump;
    }

    // Versions, session settings and pg_dump's random \restrict tokens differ from machine to machine; tables do not.
    private static string Normalise(string dump)
    {
        var lines = dump.Split('\n').Where(line => !Noise().IsMatch(line)).Select(line => line.TrimEnd());
        var text = BlankLines().Replace(string.Join('\n', lines), "\n\n").Trim('\n');
        return $"-- Made from the migrations by the command in README.md; not for editing, and nothing runs it.\n\n{text}\n";
    }

    private static string FirstDifference(string kept, string made)
    {
        var (a, b) = (kept.Split('\n'), made.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(a.Length, b.Length)).First(i => i >= a.Length || i >= b.Length || a[i] != b[i]);
        return $"line {line + 1}: \"{a.ElementAtOrDefault(line)}\" is \"{b.ElementAtOrDefault(line)}\" now";
    }

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Registry.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex(@"^(--|SET |SELECT pg_catalog\.set_config|\\restrict|\\unrestrict)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Noise();

    [GeneratedRegex("\n{3,}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BlankLines();
}
