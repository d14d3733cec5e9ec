using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Content;

/// <summary>
/// A lock that holds between processes and between parts of one, and that ends with the process that has it, however it ends. Its file may be removed by who holds
/// it: a waiter then finds that the name leads elsewhere and begins again.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private FileLock(SafeFileHandle file, string path) => (_file, _path) = (file, path);

    /// <summary>Null where somebody has it.</summary>
    public static FileLock? TryTake(string path)
    {
        while (true)
        {
            var file = StoreFile.OpenOrCreate(path);
            try
            {
                if (!StoreFile.Lock(file, shared: false, wait: false))
                {
                    file.Dispose();
                    return null;
                }

                if (StoreFile.IsAt(file, path)) return new FileLock(file, path);
                StoreFile.CloseLocked(file);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }

    public static Task<FileLock> TakeAsync(string path, CancellationToken ct) => TakeAsync(path, shared: false, ct);

    /// <summary>Beside other shared ones.</summary>
    public static Task<FileLock> TakeSharedAsync(string path, CancellationToken ct) => TakeAsync(path, shared: true, ct);

    /// <summary>Removes the file too: nobody has to wait for it any more.</summary>
    public void Remove()
    {
        File.Delete(_path);
        Dispose();
    }

    public void Dispose() => StoreFile.CloseLocked(_file);

    private static async Task<FileLock> TakeAsync(string path, bool shared, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var file = StoreFile.OpenOrCreate(path);
            if (!StoreFile.Lock(file, shared, wait: false)) await WaitAsync(file, shared, ct);
            if (StoreFile.IsAt(file, path)) return new FileLock(file, path);
            StoreFile.CloseLocked(file);
        }
    }

    /// <summary>
    /// flock cannot be awaited, so a thread of its own waits. Nothing ends its wait but the lock: who gives up leaves it behind, and it closes the file once it has it.
    /// </summary>
    private static async Task WaitAsync(SafeFileHandle file, bool shared, CancellationToken ct)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                StoreFile.Lock(file, shared, wait: true);
                if (!taken.TrySetResult()) StoreFile.CloseLocked(file);
            }
            catch (EngineException fault)
            {
                file.Dispose();
                taken.TrySetException(fault);
            }
        })
        { IsBackground = true, Name = "gantry-lock" }.Start();
        await using (ct.Register(() => taken.TrySetCanceled(ct))) await taken.Task;
    }
}
