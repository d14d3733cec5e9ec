using System.Runtime.InteropServices;

namespace Gantry.Layers.Compression;

/// <summary>The system's libzstd, for .NET 10 has none of its own. Debian's package is libzstd1, Alpine's zstd-libs.</summary>
internal sealed unsafe partial class ZstdHandle : SafeHandle
{
    private const string Library = "libzstd.so.1";

    // zstd.h: ZSTD_d_windowLogMax, and what RFC 8878 (3.1.1.1.2) expects every decoder to allow at the most by itself.
    private const int WindowLogMax = 100;
    private const int MaxWindowLog = 27;

    private readonly ZstdMemory? _memory;

    /// <param name="windows">Null: zstd's own memory.</param>
    public ZstdHandle(IWindowMemory? windows)
        : base(0, ownsHandle: true)
    {
        Require(Library);
        if (windows is not null) _memory = new ZstdMemory(windows);
        SetHandle(_memory is null ? CreateContext() : CreateContext(_memory.Native));
        if (IsInvalid) throw new InvalidOperationException("zstd found no memory");
        _ = SetParameter(handle, WindowLogMax, MaxWindowLog);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Goes on as far as input and output allow. True at the end of a frame with nothing held back; null for damage, named in <paramref name="fault"/>.
    /// </summary>
    public bool? Decompress(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int produced, out string fault)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        fixed (byte* source = input)
        fixed (byte* target = output)
        {
            var from = new Buffer { Start = source, Size = (nuint)input.Length };
            var to = new Buffer { Start = target, Size = (nuint)output.Length };
            var result = DecompressStream(handle, &to, &from);
            (consumed, produced, fault) = ((int)from.Position, (int)to.Position, "");
            _memory?.Used(produced);
            if (IsError(result) == 0) return result == 0;
            _memory?.ThrowIfFailed();
            fault = Marshal.PtrToStringUTF8(ErrorName(result)) ?? "";
            return null;
        }
    }

    /// <summary>Says what is missing, and where to get it, instead of which symbol could not be bound.</summary>
    internal static void Require(string library)
    {
        if (!NativeLibrary.TryLoad(library, out _))
            throw new DllNotFoundException($"layers compressed with zstd need {library}, which is not installed: it is in Debian's package libzstd1");
    }

    protected override bool ReleaseHandle()
    {
        var result = FreeContext(handle);
        _memory?.Dispose();
        return result == 0;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    private static partial nint CreateContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx_advanced")]
    private static partial nint CreateContext(ZstdMemory.Functions memory);

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    private static partial nuint FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_DCtx_setParameter")]
    private static partial nuint SetParameter(nint context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    private static partial nuint DecompressStream(nint context, Buffer* output, Buffer* input);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint result);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint result);

    /// <summary>zstd.h's <c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Start;
        public nuint Size;
        public nuint Position;
    }
}
