using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Benchmarks;

/// <summary>
/// What garbage collection costs those who push and pull: 8 clients on a server that has 100,000 dead blobs to remove, bytes
/// included, against the same with nothing to remove. Then it is left alone until all is gone.
/// </summary>
internal static class CollectionRun
{
    private const string Repository = "bench/live", Dead = "bench/dead";
    private const int Clients = 8;

    public static async Task RunAsync(RunSettings run)
    {
        var dead = Math.Max((int)(100_000 * run.Fraction), 1);
        await using var busy = await Side.StartAsync(run, "busy", dead);
        await using var idle = await Side.StartAsync(run, "idle", 0);
        var comparison = new Comparison<Side>("while it collects", busy, "with nothing to collect", idle, run.Pairs);
        Console.WriteLine("waiting for the next round of collection");
        while (await busy.DeadAsync() == dead) await Task.Delay(200);
        await comparison.MeasureAsync($"{Clients} clients, pushes and pulls a second", side =>
        {
            // Whoever is not asked stands still: what it collects would slow its measure, the other one's.
            busy.Stop(side != busy);
            return side.LoadAsync(run.Seconds);
        });
        busy.Stop(false);
        comparison.Print();

        var (before, clock) = (await busy.DeadAsync(), Stopwatch.StartNew());
        if (before == 0) Console.WriteLine("all were gone before the end: choose shorter --seconds or fewer --pairs");
        while (await busy.DeadAsync() > 0) await Task.Delay(200);
        if (busy.Files() is var files && files > 0) throw new InvalidOperationException($"{files} files of dead blobs are left");
        Console.WriteLine($"{dead} of {dead} dead blobs are gone, the last {before} of them at {before / clock.Elapsed.TotalSeconds:0} a second, without that load");
    }

    private sealed class Side(RegistryProcess registry, NpgsqlDataSource database, string store, int dead) : IAsyncDisposable
    {
        private readonly byte[] _layer = RandomNumberGenerator.GetBytes(256 * 1024);
        private int _number;

        public static async Task<Side> StartAsync(RunSettings run, string name, int dead)
        {
            var folder = run.Root.CreateSubdirectory(name).FullName;
            var registry = await RegistryProcess.StartGantryAsync(folder, settings: ["Gc:ByteDelay=00:00:00", "Gc:MaxPerSecond=100000"]);
            try
            {
                var database = NpgsqlDataSource.Create(new PrivatePostgres(folder).ConnectionString);
                var store = Path.Combine(folder, "blobs");
                if (dead > 0) await KillAsync(database, store, dead);
                return new Side(registry, database, store, dead);
            }
            catch
            {
                await registry.DisposeAsync();
                throw;
            }
        }

        /// <summary>Dead blobs that still have a row, or bytes.</summary>
        public async Task<long> DeadAsync()
        {
            await using var count = database.CreateCommand(
                "SELECT (SELECT count(*) FROM blobs WHERE created_at < now() - interval '5 days') + (SELECT count(*) FROM doomed_locations)");
            return (long)(await count.ExecuteScalarAsync())!;
        }

        /// <summary>Dead blobs whose file is there.</summary>
        public int Files() => Enumerable.Range(1, dead).Count(number => File.Exists(PathOf(store, number)));

        public void Stop(bool isStopped) => registry.Signal(isStopped ? ServerProcess.SigStop : ServerProcess.SigContinue);

        /// <summary>Each client pushes a blob of 256 KiB and pulls it, again and again.</summary>
        public async Task<double> LoadAsync(int seconds)
        {
            var clock = Stopwatch.StartNew();
            var done = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async number =>
            {
                using var http = new HttpClient { BaseAddress = registry.Address };
                var count = 0;
                for (; clock.Elapsed < TimeSpan.FromSeconds(seconds); count++)
                {
                    byte[] content = [.. BitConverter.GetBytes(Interlocked.Increment(ref _number)), .. _layer];
                    var digest = Digest.Of(content);
                    using var push = await http.PostAsync($"/v2/{Repository}/blobs/uploads/?digest={digest}", new ByteArrayContent(content));
                    push.EnsureSuccessStatusCode();
                    await http.GetByteArrayAsync($"/v2/{Repository}/blobs/{digest}");
                }

                return count;
            }));
            return done.Sum() / clock.Elapsed.TotalSeconds;
        }

        public async ValueTask DisposeAsync()
        {
            await database.DisposeAsync();
            await registry.DisposeAsync();
        }

        private static string PathOf(string store, int number)
        {
            var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{number}")))[..32];
            return Path.Combine(store, "blobs", id[^2..], id);
        }

        // Blobs as a push a week ago left them, whose manifest never came.
        private static async Task KillAsync(NpgsqlDataSource database, string store, int count)
        {
            Parallel.For(1, count + 1, number => File.WriteAllText(PathOf(store, number), $"dead {number}"));
            await using var fill = database.CreateCommand(
                $"""
                 INSERT INTO namespaces (name) VALUES ('bench') ON CONFLICT DO NOTHING;
                 INSERT INTO repositories (name, namespace_id) SELECT '{Dead}', id FROM namespaces WHERE name = 'bench';
                 INSERT INTO blobs (digest, size, location, created_at, scrub_at)
                     SELECT 'sha256:' || encode(sha256(convert_to('dead ' || i, 'UTF8')), 'hex'), 5 + length(i::text),
                         'blobs/' || right(id, 2) || '/' || id, now() - interval '7 days', now() + interval '7 days'
                     FROM generate_series(1, {count}) i, left(encode(sha256(convert_to(i::text, 'UTF8')), 'hex'), 32) id;
                 INSERT INTO blob_links (repository_id, digest, touched_at, suspect_since)
                     SELECT r.id, 'sha256:' || encode(sha256(convert_to('dead ' || i, 'UTF8')), 'hex'), now() - interval '7 days', now() - interval '7 days'
                     FROM generate_series(1, {count}) i, repositories r WHERE r.name = '{Dead}';
                 ANALYZE blobs; ANALYZE blob_links;
                 """);
            fill.CommandTimeout = 0;
            await fill.ExecuteNonQueryAsync();
        }
    }
}
