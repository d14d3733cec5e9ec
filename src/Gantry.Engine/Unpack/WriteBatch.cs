using System.Buffers;
using Gantry.Engine.Posix;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>A piece of a file.</summary>
internal record struct WriteStep(int File, int Start, int Count, long Offset, Range Name)
{
    public bool IsLast { get; set; }

    public uint? Mode { get; set; }

    public TarTime Modified { get; set; }
}

/// <summary>What <see cref="WriteBehind"/> hands over at a time: contents one behind the other, the names of their files, and what is to be done with them.</summary>
internal sealed class WriteBatch : IDisposable
{
    private const int ContentSize = 256 * 1024, NamesSize = 32 * 1024, MaxSteps = 64;

    private readonly byte[] _content = ArrayPool<byte>.Shared.Rent(ContentSize);
    private readonly byte[] _names = ArrayPool<byte>.Shared.Rent(NamesSize);
    private readonly WriteStep[] _steps = new WriteStep[MaxSteps];
    private int _filled, _named, _count;

    public Span<byte> Free => _content.AsSpan(_filled, ContentSize - _filled);

    /// <summary>Whether one more step fits, with all of a content that is small.</summary>
    public bool HasRoom(int name, long content) =>
        _count < MaxSteps && name <= NamesSize - _named && Math.Min(content, ContentSize / 4) <= ContentSize - _filled;

    public void Add(int file, ReadOnlySpan<byte> name, long offset)
    {
        name.CopyTo(_names.AsSpan(_named));
        _steps[_count++] = new WriteStep(file, _filled, 0, offset, _named..(_named + name.Length));
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

    private void Run(in WriteStep step)
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
