using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Gantry.Layers.Compression;

/// <summary>Where one zstd context has its memory: small things on the heap, its window with an <see cref="IWindowMemory"/>. Ends after the context.</summary>
internal sealed unsafe class ZstdMemory : IDisposable
{
    // The context has some 160 KiB, its buffers the window and 256 KiB: what is smaller than this is bounded by itself.
    private const int LargeBytes = 1 << 20;

    // How much is decoded before the memory rests: seldom enough to cost little, often enough that little gathers.
    private const int RestBytes = 512 << 10;

    private readonly IWindowMemory _windows;
    private readonly List<(nint Memory, nuint Bytes)> _taken = [];
    private readonly GCHandle _self;
    private ExceptionDispatchInfo? _failure;
    private long _produced;

    public ZstdMemory(IWindowMemory windows) => (_windows, _self) = (windows, GCHandle.Alloc(this));

    public Functions Native => new() { Allocate = &Allocate, Free = &Free, Opaque = GCHandle.ToIntPtr(_self) };

    /// <summary>After each call of zstd: so much came of it.</summary>
    public void Used(int produced)
    {
        _produced += produced;
        if (_produced < RestBytes) return;
        _produced = 0;
        foreach (var (memory, bytes) in _taken) _windows.Rest(memory, bytes);
    }

    /// <summary>Where zstd got no memory: why.</summary>
    public void ThrowIfFailed() => _failure?.Throw();

    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* Allocate(nint self, nuint bytes)
    {
        var memory = (ZstdMemory)GCHandle.FromIntPtr(self).Target!;
        try
        {
            if (bytes < LargeBytes) return NativeMemory.Alloc(bytes);
            var taken = memory._windows.Take(bytes);
            memory._taken.Add((taken, bytes));
            return (void*)taken;
        }
        catch (Exception fault)
        {
            // It may not pass through native code: told once zstd has returned.
            memory._failure = ExceptionDispatchInfo.Capture(fault);
            return null;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(nint self, void* address)
    {
        var memory = (ZstdMemory)GCHandle.FromIntPtr(self).Target!;
        var index = memory._taken.FindIndex(taken => taken.Memory == (nint)address);
        if (index < 0)
        {
            NativeMemory.Free(address);
            return;
        }

        memory._windows.GiveBack(memory._taken[index].Memory, memory._taken[index].Bytes);
        memory._taken.RemoveAt(index);
    }

    /// <summary>zstd.h's <c>ZSTD_customMem</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Functions
    {
        public delegate* unmanaged[Cdecl]<nint, nuint, void*> Allocate;
        public delegate* unmanaged[Cdecl]<nint, void*, void> Free;
        public nint Opaque;
    }
}
