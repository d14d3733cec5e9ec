using System.Runtime.InteropServices;

namespace Gantry.Cli.Output;

/// <summary>
/// A descriptor of this process as a stream to write to, by write(2) and nothing else. .NET's console would switch a terminal's keypad first, and its files write at places
/// of their own, over what other processes have written into the same file meanwhile.
/// </summary>
internal sealed partial class DescriptorStream(int descriptor) : Stream
{
    private const int Interrupted = 4, TryAgain = 11;
    private const short Writable = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (nint done = 0; done < buffer.Length;)
            {
                var count = WriteTo(descriptor, start + done, buffer.Length - done);
                if (count >= 0) done += count;
                else if (Marshal.GetLastPInvokeError() is var error && error == TryAgain) WaitUntilWritable();
                else if (error != Interrupted) throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Somebody who shares the descriptor has made it one that does not wait.</summary>
    private unsafe void WaitUntilWritable()
    {
        // struct pollfd: the descriptor, what is waited for, what came.
        var wait = stackalloc int[2] { descriptor, Writable };
        _ = Poll(wait, 1, -1);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint WriteTo(int descriptor, byte* from, nint count);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static unsafe partial int Poll(int* descriptors, nuint count, int milliseconds);
}
