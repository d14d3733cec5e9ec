using System.Security.Cryptography;

namespace Gantry.Core.Data;

/// <summary>
/// DATAROOT/postgres: a whole cluster or nothing. It is made under another name and renamed when it is complete and
/// on disk, so a kill at any instant leaves at most a <c>postgres.new-…</c> folder, which the next start removes.
/// </summary>
internal sealed class ClusterFolder(LocalPostgresOptions options)
{
    internal const string UserName = "gantry";

    private const string StagingPrefix = "postgres.new-";
    private const string PasswordFileName = "gantry-password";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    internal string Root { get; } = System.IO.Path.GetFullPath(options.DataRoot);

    internal string Path => System.IO.Path.Combine(Root, "postgres");

    internal PostgresLogFile Log => new(System.IO.Path.Combine(Root, "postgres.log"));

    /// <summary>The major version that made the cluster; null where there is no cluster yet.</summary>
    internal int? ReadMajor()
    {
        var file = System.IO.Path.Combine(Path, "PG_VERSION");
        if (File.Exists(file) && int.TryParse(File.ReadAllText(file), out var major)) return major;
        if (!Directory.Exists(Path) || !Directory.EnumerateFileSystemEntries(Path).Any()) return null;
        throw new LocalPostgresException(
            $"{Path} is there, but it is no PostgreSQL cluster (it has no PG_VERSION): move it away and start again.");
    }

    internal string ReadPassword()
    {
        var file = System.IO.Path.Combine(Path, PasswordFileName);
        if (File.Exists(file)) return File.ReadAllText(file).Trim();
        throw new LocalPostgresException(
            $"{file} is missing, and with it the password of the database in {Path}: restore it from a backup.");
    }

    /// <summary>
    /// Removes what an interrupted start left. An initdb that outlived its server finds its folder gone and fails.
    /// </summary>
    internal void RemoveLeftovers()
    {
        foreach (var staging in Directory.GetDirectories(Root, StagingPrefix + "*"))
        {
            for (var attempt = 1; Directory.Exists(staging); attempt++)
            {
                try
                {
                    Directory.Delete(staging, recursive: true);
                }
                catch (IOException) when (attempt < 20)
                {
                    // a dying initdb made one more file meanwhile
                }
            }
        }
    }

    /// <summary>Gives a cluster that root owns (copied back from a backup, say) to the account that will run it.</summary>
    internal async Task TakeOverAsync(PostgresAccount account, CancellationToken ct)
    {
        if (!account.DropsRoot || Posix.Identify(Path)?.UserId == account.UserId) return;
        var (exitCode, output) = await ChildCommand.RunAsync(
            ChildCommand.Locate("chown"), ["-R", "-h", $"{account.UserId}:{account.GroupId}", Path], ct);
        if (exitCode != 0) throw new LocalPostgresException($"Cannot give {Path} to user id {account.UserId}: {output.Trim()}");
    }

    internal async Task CreateAsync(
        PostgresBinaries binaries, PostgresLauncher launcher, PostgresAccount account, CancellationToken ct)
    {
        var staging = System.IO.Path.Combine(Root, StagingPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
        var data = System.IO.Path.Combine(staging, "data");
        var password = System.IO.Path.Combine(staging, "password");
        try
        {
            // 1. The folder and the password, for the eyes of the account alone.
            Directory.CreateDirectory(data, OwnerOnly);
            File.SetUnixFileMode(staging, OwnerOnly);
            WritePassword(password);
            if (account.DropsRoot)
            {
                foreach (var path in new[] { staging, data, password }) Posix.ChangeOwner(path, account.UserId, account.GroupId);
            }

            // 2. initdb, which flushes all it writes. Plain C: no system update ever changes how an index is ordered.
            List<string> arguments =
            [
                "-D", launcher.NameOf(data), "-U", UserName, "--encoding=UTF8", "--locale=C", "--data-checksums",
                "--auth=scram-sha-256", $"--pwfile={launcher.NameOf(data)}/../password",
            ];
            if (!options.Durable) arguments.Add("--no-sync");
            await RunInitdbAsync(binaries, launcher, data, arguments, ct);

            // 3. The password moves in, and the whole becomes visible at once.
            File.Move(password, System.IO.Path.Combine(data, PasswordFileName));
            Posix.FlushToDisk(data);
            if (Directory.Exists(Path)) Directory.Delete(Path); // empty, or ReadMajor had refused it
            Directory.Move(data, Path);
            Posix.FlushToDisk(Root);
        }
        finally
        {
            RemoveLeftovers();
        }
    }

    private async Task RunInitdbAsync(
        PostgresBinaries binaries, PostgresLauncher launcher, string data, List<string> arguments, CancellationToken ct)
    {
        var logStart = Log.Length;
        using var initdb = launcher.Start(data, binaries.Initdb, arguments);
        try
        {
            await initdb.WaitForExitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            Posix.Signal(-initdb.Id, Posix.Sigkill);
            throw;
        }

        if (initdb.ExitCode != 0)
        {
            throw new LocalPostgresException(
                $"Cannot make the database in {Path}: {binaries.Initdb} failed: {Log.Explain(logStart)} (more in {Log.Path})");
        }
    }

    private static void WritePassword(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))));
        file.Flush(flushToDisk: true);
    }
}
