using System.Collections.Concurrent;
using Gantry.Core.GarbageCollection;
using Gantry.Server.Tests.Nodes;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Chaos;

/// <summary>
/// One run: nodes that are killed and started again, a collector that never rests, a store that fails, and workers that keep
/// book. Everything is drawn from one seed; what the kernel and the network do with it stays theirs.
/// </summary>
internal sealed partial class ChaosRun : IAsyncDisposable
{
    public const int SharedContents = 10;
    private const int NodeCount = 3, WorkerCount = 6;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly List<ChaosWorker> _workers = [];
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _starting = new(1);
    private readonly Random _random;
    private readonly Backend _backend;
    private readonly int _seed;
    private readonly byte[][] _shared;
    private NodeCluster _cluster = null!;
    private GantryServer _hand = null!;
    private int _kills, _failpoints, _storeFaults;
    private volatile bool _isCalm;

    private ChaosRun(Backend backend, int seed)
    {
        (_backend, _seed, _random) = (backend, seed, new Random(seed + (int)backend));
        Grace = _random.Next(4) == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(_random.Next(500, 5000));
        ByteDelay = TimeSpan.FromMilliseconds(_random.Next(0, 2000));
        _shared = [.. Enumerable.Range(0, SharedContents).Select(_ => new byte[_random.Next(100, 50_000)])];
        foreach (var content in _shared) _random.NextBytes(content);
    }

    public TimeSpan Grace { get; }

    public TimeSpan ByteDelay { get; }

    /// <summary>Whether a 5xx may be the store's fault.</summary>
    public bool StoreMayFail => _backend == Backend.S3 && !_isCalm;

    public static async Task<ChaosRun> StartAsync(Backend backend, int seed)
    {
        var run = new ChaosRun(backend, seed);
        run._cluster = await NodeCluster.StartAsync(backend, NodeCount, isEmpty: false,
        [
            $"Gc:Grace={run.Grace}", $"Gc:ByteDelay={run.ByteDelay}", "Gc:MaxPerSecond=100000", "Gc:MaxShare=1", "Gc:OrphanPass=00:01:00",
            .. (backend == Backend.S3 ? (string[])["Storage:S3:Timeout=00:00:05"] : []),
        ]);
        run._hand = GantryServer.Create([.. run._cluster.SettingsOf("hand"), "--Logging:LogLevel:Default=Error"]);
        await run._hand.StartDatabaseAsync(beside: false, CancellationToken.None);
        for (var number = 0; number < WorkerCount; number++) run._workers.Add(new ChaosWorker(run, number, run._random.Next()));
        return run;
    }

    /// <summary>The rules themselves, on the same database and store, for what no request under <c>/v2</c> does.</summary>
    public T Hand<T>() where T : notnull => _hand.App.Services.GetRequiredService<T>();

    public byte[] SharedContent(int index) => _shared[index];

    public static string RepositoryBeside(int worker, Random random) => $"chaos/w{(worker + random.Next(1, WorkerCount)) % WorkerCount}";

    public void Log(string line) => _log.Enqueue($"{Book.Now.TotalSeconds:F3} {line}");

    /// <summary>Works for so long, then calms down and compares everything.</summary>
    public async Task RunAsync(TimeSpan time)
    {
        Log($"seed {_seed}, {_backend}, grace {Grace}, byte delay {ByteDelay}");
        if (_cluster.Bytes is SharedBucket { } bucket) bucket.Proxy.Faults = StoreFaults(new Random(_random.Next()));
        var tasks = _workers.ConvertAll(worker => worker.WorkAsync(_end.Token));
        tasks.AddRange(_cluster.Nodes.Select(node => TroubleAsync(node, new Random(_random.Next()))));
        tasks.Add(CollectAsync());

        // The first to fail ends the run; so does the time.
        var limit = Task.Delay(time);
        var first = await Task.WhenAny([limit, .. tasks]);
        await _end.CancelAsync();
        if (first != limit) await first;
        await Task.WhenAll(tasks);
        await CompareAsync();
    }

    /// <summary>A running node, the turn's; waits while none runs.</summary>
    public async Task<RunningNode> NextNodeAsync(int turn)
    {
        for (var patience = 9000; ; patience--)
        {
            var running = _cluster.Nodes.Select(node => node.Running).OfType<RunningNode>().ToList();
            if (running.Count > 0) return running[turn % running.Count];
            if (patience == 0) throw new ChaosException("no node comes back");
            await Task.Delay(10);
        }
    }

    /// <summary>
    /// After a cut: until the process that was asked is gone, and PostgreSQL has ended its sessions. A node that lives on cut the
    /// request itself and is done with it.
    /// </summary>
    public async Task UntilOverAsync(RunningNode node)
    {
        for (var patience = 200; patience > 0 && !node.Process.HasExited; patience--) await Task.Delay(10);
        if (node.Process.HasExited) await _cluster.UntilForgottenAsync(node.Name);
    }

    public string Summary() => $"seed {_seed}, {_backend}, grace {Grace}, byte delay {ByteDelay}: {_workers.Sum(worker => worker.Steps)} steps, "
        + $"{_kills} kills, {_failpoints} ends at failpoints, {_storeFaults} faults of the store";

    /// <summary>Where the log of everything that was asked and answered lies from now on.</summary>
    public string Keep()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "gantry-chaos"));
        var path = Path.Combine(folder.FullName, $"{_backend}-{_seed}-{Environment.ProcessId}.log");
        File.WriteAllLines(path, _log.Concat(_cluster.Nodes.SelectMany(node => node.Processes)
            .SelectMany(process => new[] { $"--- {process.Name}", process.Process.Output, process.Process.Errors })));
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _hand.DisposeAsync();
        await _cluster.DisposeAsync();
        _starting.Dispose();
        _end.Dispose();
    }

    /// <summary>Kills the node again and again, or has a failpoint end it, and starts it each time.</summary>
    private async Task TroubleAsync(Node node, Random random)
    {
        while (!_end.IsCancellationRequested)
        {
            var life = Task.Delay(random.Next(1000, 12_000), _end.Token);
            await Task.WhenAny(life, node.Process.Exited);
            if (_end.IsCancellationRequested) return;
            // Mostly one at a time: a machine that does nothing but start nodes finds no fault in them.
            var isAlone = random.Next(5) > 0;
            if (isAlone) await _starting.WaitAsync();
            Interlocked.Increment(ref node.Process.HasExited ? ref _failpoints : ref _kills);
            Log($"{node.Name} {(node.Process.HasExited ? "ended at its failpoint" : "is killed")}");
            await node.KillAsync();
            string? failpoint;
            do
            {
                failpoint = random.Next(2) == 0 ? null : Failpoints.Draw(_backend, random);
            }
            while (!await StartsAsync(node, failpoint));
            Log($"{node.Name} runs, failpoint {failpoint}");
            if (isAlone) _starting.Release();
        }
    }

    private static async Task<bool> StartsAsync(Node node, string? failpoint)
    {
        try
        {
            await node.StartAsync(failpoint);
            return true;
        }
        catch (InvalidOperationException) when (failpoint is not null && node.Process.HasExited)
        {
            return false; // its failpoint was on the way
        }
    }

    /// <summary>Runs of everything, the whole store too, beside those of the nodes.</summary>
    private async Task CollectAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            // A pass over the whole store without a rest would leave the machine to nobody else.
            await Task.Delay(1000);
            try
            {
                var done = await Hand<Collector>().RunAsync(everything: true, _end.Token);
                if (!done.IsNothing) Log($"collected {done}");
            }
            catch (Exception fault) when (StoreMayFail && fault is IOException)
            {
                Log($"collecting failed: {fault.Message}");
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private Func<Microsoft.AspNetCore.Http.HttpRequest, ProxyFault?> StoreFaults(Random random) => _ =>
    {
        ProxyFault? fault;
        lock (random)
        {
            fault = random.Next(400) switch
            {
                0 or 1 => ProxyFault.S3Error(503, "SlowDown"),
                2 or 3 => ProxyFault.S3Error(500, "InternalError"),
                4 => ProxyFault.CutBefore,
                5 => ProxyFault.CutRequest,
                6 or 7 => ProxyFault.LoseAnswer,
                8 => ProxyFault.CutAnswer,
                9 or 10 => ProxyFault.Delay(TimeSpan.FromMilliseconds(random.Next(1000))),
                11 when random.Next(4) == 0 => ProxyFault.Hang,
                _ => null,
            };
        }

        if (fault is not null) Interlocked.Increment(ref _storeFaults);
        return fault;
    };
}
