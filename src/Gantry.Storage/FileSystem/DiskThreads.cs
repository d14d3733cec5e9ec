using System.Diagnostics.CodeAnalysis;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// Threads for calls that wait for the disk. An fsync can take seconds and a write is held back while too many pages
/// are dirty; on the thread pool, which starts with one thread a core, a few uploads would then stop every request.
/// <para>At most <see cref="MaxThreads"/>, started on demand, ended when idle; what comes on top waits in a queue whose
/// length is the number of running uploads, because each has one call under way.</para>
/// </summary>
internal sealed class DiskThreads : TaskScheduler
{
    private const int MaxThreads = 32;
    private const int StackBytes = 256 * 1024;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(20);
    private static readonly DiskThreads Shared = new();

    // Without this, the caller's continuation would run here and hold a disk thread for the rest of its request.
    private static readonly TaskFactory Factory = new(CancellationToken.None,
        TaskCreationOptions.DenyChildAttach | TaskCreationOptions.RunContinuationsAsynchronously,
        TaskContinuationOptions.None, Shared);

    private readonly Queue<Task> _waiting = [];
    private int _threads;
    private int _idle;

    public static Task RunAsync(Action work) => Factory.StartNew(work);

    public static Task<T> RunAsync<T>(Func<T> work) => Factory.StartNew(work);

    public override int MaximumConcurrencyLevel => MaxThreads;

    protected override void QueueTask(Task task)
    {
        lock (_waiting)
        {
            _waiting.Enqueue(task);
            if (_idle >= _waiting.Count) Monitor.Pulse(_waiting);
            else if (_threads < MaxThreads) StartThread();
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_waiting) return [.. _waiting];
    }

    private void StartThread()
    {
        _threads++;
        new Thread(Work, StackBytes) { IsBackground = true, Name = "gantry-disk" }.UnsafeStart();
    }

    private void Work()
    {
        while (TryNext(out var task)) TryExecuteTask(task);
    }

    /// <summary>False when nothing came for a while: the thread ends.</summary>
    private bool TryNext([NotNullWhen(true)] out Task? task)
    {
        lock (_waiting)
        {
            while (!_waiting.TryDequeue(out task))
            {
                _idle++;
                var pulsed = Monitor.Wait(_waiting, IdleLimit);
                _idle--;
                if (pulsed || _waiting.Count > 0) continue;
                _threads--;
                return false;
            }

            return true;
        }
    }
}
