using System.Runtime.InteropServices;

namespace Gantry.Layers.Compression;

/// <summary>
/// The runtime's own zlib-ng, the one behind <see cref="System.IO.Compression.GZipStream"/>, without what that class makes of it: the README says why.
/// </summary>
internal sealed unsafe partial class InflateHandle : SafeHandle
{
    private const string Library = "libSystem.IO.Compression.Native";

    // zlib.h: 15 for the largest window, 16 more for a gzip header and trailer instead of zlib's.
    private const int GzipWindowBits = 15 + 16;

    public InflateHandle()
        : base(0, ownsHandle: true)
    {
        var state = (ZStream*)NativeMemory.AllocZeroed((nuint)sizeof(ZStream));
        var result = InflateInit(state, GzipWindowBits);
        if (result == ZResult.Ok)
        {
            SetHandle((nint)state);
            return;
        }

        NativeMemory.Free(state);
        throw new InvalidOperationException($"zlib does not start: {result}");
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Back to before a member's header.</summary>
    public void Reset()
    {
        if (InflateReset((ZStream*)handle, GzipWindowBits) != ZResult.Ok) throw new InvalidOperationException("zlib cannot be reset");
    }

    /// <summary>Goes on as far as input and output allow and says how much of each was used.</summary>
    public ZResult Inflate(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        var state = (ZStream*)handle;
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            state->NextIn = source;
            state->AvailableIn = (uint)input.Length;
            state->NextOut = target;
            state->AvailableOut = (uint)output.Length;
            const int NoFlush = 0;
            var result = Inflate(state, NoFlush);
            (consumed, produced) = (input.Length - (int)state->AvailableIn, output.Length - (int)state->AvailableOut);
            state->NextIn = state->NextOut = null;
            return result;
        }
    }

    protected override bool ReleaseHandle()
    {
        var result = InflateEnd((ZStream*)handle);
        NativeMemory.Free((void*)handle);
        return result == ZResult.Ok;
    }

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateInit2_")]
    private static partial ZResult InflateInit(ZStream* state, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateReset2_")]
    private static partial ZResult InflateReset(ZStream* state, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Inflate")]
    private static partial ZResult Inflate(ZStream* state, int flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateEnd")]
    private static partial ZResult InflateEnd(ZStream* state);

    /// <summary><c>PAL_ZStream</c> of .NET 10's pal_zlib.h; another major version may order it otherwise.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ZStream
    {
        public byte* NextIn;
        public byte* NextOut;
        public byte* Message;
        public void* InternalState;
        public uint AvailableIn;
        public uint AvailableOut;
    }
}

/// <summary>zlib.h's results.</summary>
internal enum ZResult
{
    BufferError = -5,
    MemoryError = -4,
    DataError = -3,
    StreamError = -2,
    Ok = 0,
    StreamEnd = 1,
    NeedDictionary = 2,
}
