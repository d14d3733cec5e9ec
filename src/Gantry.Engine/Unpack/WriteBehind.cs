using System.Runtime.ExceptionServices;
using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Writes files behind the thread that makes them: content, mode and time of some, while it makes the next ones. What a name decides is decided before a file comes
/// here, and only its descriptor is used: entries take effect in the archive's order, whatever is still to be written.
/// </summary>
/// <remarks>
/// Of many small files making each is half of the kernel's work, and this the other half. Memory: two buffers of 256 KiB and their names. At most 128 files are open.
/// There is no thread before a buffer is full: a small layer needs none.
/// </remarks>
internal sealed class WriteBehind : IDisposable
{
    private readonly object _gate = new();
    private WriteBatch _filling = new(), _other = new();
    private Thread? _thread;
    private bool _isBusy, _isEnding;
    private ExceptionDispatchInfo? _fault;
    private int _file = -1;
    private ReadOnlyMemory<byte> _name;

    /// <summary>A new file, empty, which is closed here from now on; what is in it and <see cref="End"/> follow.</summary>
    /// <param name="name">For errors. Not used after the file's end.</param>
    public void Begin(int file, ReadOnlyMemory<byte> name, long size)
    {
        (_file, _name) = (file, name.Length > EntryName.MaxPath ? name[^EntryName.MaxPath..] : name);

        // One write for a small file: it is not split between two buffers.
        if (_filling.HasRoom(_name.Length, size)) _filling.Add(file, _name.Span, 0);
        else HandOver(0);
    }

    /// <summary>Where the next bytes of the file are read to; never empty.</summary>
    public Span<byte> Room(long offset)
    {
        if (!_filling.HasRoom(_name.Length, 1)) HandOver(offset);
        return _filling.Free;
    }

    /// <summary>So many bytes in <see cref="Room"/> are the file's, from there on.</summary>
    public void Add(int count, long offset) => _filling.Take(_file, _name.Span, count, offset);

    /// <summary>That was all of it.</summary>
    /// <param name="mode">Null: it has the right one.</param>
    public void End(uint? mode, TarTime modified)
    {
        _filling.End(mode, modified);
        _file = -1;
    }

    /// <summary>Waits until everything is written. A file that has not ended stays open, for what else is done to it.</summary>
    public void Drain()
    {
        AwaitOther();
        _filling.Run();
        if (_file >= 0) _filling.Add(_file, _name.Span, 0);
    }

    /// <summary>Closes what was not written; a layer that fails is removed.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.PulseAll(_gate);
        }

        _thread?.Join();
        _filling.Abandon(_file);
        _filling.Dispose();
        _other.Dispose();
    }

    private void HandOver(long offset)
    {
        AwaitOther();
        lock (_gate)
        {
            (_filling, _other) = (_other, _filling);
            _isBusy = true;
            Monitor.PulseAll(_gate);
        }

        _filling.Add(_file, _name.Span, offset);
        if (_thread is not null) return;
        _thread = new Thread(Run) { IsBackground = true, Name = "gantry-write" };
        _thread.Start();
    }

    private void AwaitOther()
    {
        lock (_gate)
        {
            while (_isBusy) Monitor.Wait(_gate);
        }

        _fault?.Throw();
    }

    private void Run()
    {
        while (true)
        {
            lock (_gate)
            {
                while (!_isBusy && !_isEnding) Monitor.Wait(_gate);
                if (!_isBusy) return;
            }

            ExceptionDispatchInfo? fault = null;
            try
            {
                _other.Run();
            }
            catch (Exception failed)
            {
                // It is the other thread's, which asks before it hands over more.
                fault = ExceptionDispatchInfo.Capture(failed);
            }

            lock (_gate)
            {
                (_isBusy, _fault) = (false, fault);
                Monitor.PulseAll(_gate);
            }
        }
    }
}
