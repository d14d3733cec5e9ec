namespace Gantry.Core.Data;

/// <summary>
/// The user PostgreSQL runs as. It refuses root, so a server started by root gives the cluster (that subfolder
/// and nothing else) to <c>postgres</c> or <c>nobody</c>; an existing cluster keeps the owner it has.
/// </summary>
internal sealed record PostgresAccount(uint UserId, uint GroupId, bool DropsRoot)
{
    internal static PostgresAccount For(string clusterFolder, string passwdFile = "/etc/passwd")
    {
        var owner = Posix.Identify(clusterFolder);
        var self = Posix.EffectiveUserId();
        if (self != 0)
        {
            if (owner is not null && owner.Value.UserId != self)
            {
                throw new LocalPostgresException(
                    $"The database in {clusterFolder} belongs to user id {owner.Value.UserId}, and this server runs as " +
                    $"user id {self}: start it as root, or as that user, or run chown -R {self} {clusterFolder}.");
            }

            return new PostgresAccount(self, Posix.EffectiveGroupId(), DropsRoot: false);
        }

        if (owner is { UserId: not 0 } other) return new PostgresAccount(other.UserId, other.GroupId, DropsRoot: true);
        return Lookup(passwdFile, "postgres") ?? Lookup(passwdFile, "nobody")
            ?? throw new LocalPostgresException(
                "PostgreSQL does not run as root, and this system has neither a user 'postgres' nor a user 'nobody': " +
                "start the server as an ordinary user, or set ConnectionStrings:Registry.");
    }

    private static PostgresAccount? Lookup(string passwdFile, string name)
    {
        if (!File.Exists(passwdFile)) return null;
        foreach (var line in File.ReadLines(passwdFile))
        {
            var fields = line.Split(':');
            if (fields.Length > 3 && fields[0] == name && uint.TryParse(fields[2], out var user) && user != 0
                && uint.TryParse(fields[3], out var group))
            {
                return new PostgresAccount(user, group, DropsRoot: true);
            }
        }

        return null;
    }
}
