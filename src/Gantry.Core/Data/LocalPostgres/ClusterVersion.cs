namespace Gantry.Core.Data;

/// <summary>A cluster is read by the major version that made it and by no other.</summary>
internal static class ClusterVersion
{
    internal static PostgresBinaries Choose(IReadOnlyList<PostgresBinaries> installed, int? clusterMajor, ClusterFolder folder)
    {
        if (installed.Count == 0) throw PostgresBinaries.NotFound();
        if (clusterMajor is not { } major) return installed[0];
        return installed.FirstOrDefault(b => b.Major == major) ?? throw Refusal(installed.MaxBy(b => b.Major)!, major, folder.Path);
    }

    private static LocalPostgresException Refusal(PostgresBinaries newest, int major, string cluster)
    {
        var old = $"/usr/lib/postgresql/{major}/bin";
        if (newest.Major < major)
        {
            return new LocalPostgresException(
                $"PostgreSQL {major} made the database in {cluster}, and only the older {newest.Major} is installed: " +
                $"apt-get install postgresql-{major}.");
        }

        var next = $"{cluster}-{newest.Major}";
        return new LocalPostgresException(
            $"PostgreSQL {major} made the database in {cluster}, and of that version nothing is installed (only " +
            $"{newest.Major} in {newest.Folder}). Install it (apt-get install postgresql-{major}); with both installed, and " +
            $"as the user who owns {cluster}, this upgrades it: " +
            $"export PGPASSWORD=$(cat {cluster}/gantry-password) && cd /tmp && " +
            $"{newest.Folder}/initdb -D {next} -U {ClusterFolder.UserName} -E UTF8 --locale=C -k -A scram-sha-256 --pwfile={cluster}/gantry-password && " +
            $"{newest.Folder}/pg_upgrade -U {ClusterFolder.UserName} -b {old} -B {newest.Folder} -d {cluster} -D {next} && " +
            $"cp -p {cluster}/gantry-password {next}/ && mv {cluster} {cluster}-{major} && mv {next} {cluster}");
    }
}
