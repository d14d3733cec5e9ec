using System.Buffers;
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
    private Batch _filling = new(), _other = new();
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

    /// <summary>A piece of a file.</summary>
    private record struct Step(int File, int Start, int Count, long Offset, Range Name)
    {
        public bool IsLast { get; set; }

        public uint? Mode { get; set; }

        public TarTime Modified { get; set; }
    }

    private sealed class Batch : IDisposable
    {
        private const int ContentSize = 256 * 1024, NamesSize = 32 * 1024, MaxSteps = 64;

        private readonly byte[] _content = ArrayPool<byte>.Shared.Rent(ContentSize);
        private readonly byte[] _names = ArrayPool<byte>.Shared.Rent(NamesSize);
        private readonly Step[] _steps = new Step[MaxSteps];
        private int _filled, _named, _count;

        public Span<byte> Free => _content.AsSpan(_filled, ContentSize - _filled);

        /// <summary>Whether one more step fits, with all of a content that is small.</summary>
        public bool HasRoom(int name, long content) =>
            _count < MaxSteps && name <= NamesSize - _named && Math.Min(content, ContentSize / 4) <= ContentSize - _filled;

        public void Add(int file, ReadOnlySpan<byte> name, long offset)
        {
            name.CopyTo(_names.AsSpan(_named));
            _steps[_count++] = new Step(file, _filled, 0, offset, _named..(_named + name.Length));
            _named += name.Length;
        }

        public void Take(int file, ReadOnlySpan<byte> name, int count, long offset)
        {
            ref var last = ref _steps[_count - 1];
            if (last.Count == 0) last.Offset = offset;
            else if (last.Offset + last.Count != offset)
            {
                Add(file, name, offset);
                last = ref _steps[_count - 1];
            }

            last.Count += count;
            _filled += count;
        }

        public void End(uint? mode, TarTime modified)
        {
            ref var last = ref _steps[_count - 1];
            (last.IsLast, last.Mode, last.Modified) = (true, mode, modified);
        }

        /// <summary>Writes and closes, and is empty again, also where it fails.</summary>
        public void Run()
        {
            var done = 0;
            try
            {
                while (done < _count) Run(_steps[done++]);
            }
            finally
            {
                Close(done);
            }
        }

        /// <summary>Closes what is in it, and the file that has not ended.</summary>
        public void Abandon(int file)
        {
            Close(0);
            if (file >= 0) Kernel.Close(file);
        }

        public void Dispose()
        {
            ArrayPool<byte>.Shared.Return(_content);
            ArrayPool<byte>.Shared.Return(_names);
        }

        private void Run(in Step step)
        {
            var name = _names.AsSpan(step.Name);
            try
            {
                if (step.Count > 0) PosixFault.Check(Kernel.Write(step.File, _content.AsSpan(step.Start, step.Count), step.Offset), "write", name);
                if (step.Mode is { } mode) PosixFault.Check(Kernel.ChangeMode(step.File, mode), "chmod", name);
                if (step.IsLast) PosixFault.Check(Kernel.SetModified(step.File, step.Modified), "utimens", name);
            }
            finally
            {
                if (step.IsLast) Kernel.Close(step.File);
            }
        }

        private void Close(int from)
        {
            for (var index = from; index < _count; index++)
            {
                if (_steps[index].IsLast) Kernel.Close(_steps[index].File);
            }

            (_filled, _named, _count) = (0, 0, 0);
        }
    }
}
