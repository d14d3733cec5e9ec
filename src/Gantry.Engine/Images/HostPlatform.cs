using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Gantry.Engine.Images;

/// <summary>What this machine runs: its processor's own variant, so that an image built for it is found before the basic one.</summary>
public static class HostPlatform
{
    public static ImagePlatform Current { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => ImagePlatform.Of("linux", "amd64", Amd64Variant()),
        Architecture.X86 => ImagePlatform.Of("linux", "386"),
        Architecture.Arm64 => ImagePlatform.Of("linux", "arm64"),
        Architecture.Arm => ImagePlatform.Of("linux", "arm", "v7"),
        Architecture.Armv6 => ImagePlatform.Of("linux", "arm", "v6"),
        var other => ImagePlatform.Of("linux", other.ToString().ToLowerInvariant()),
    };

    /// <summary>The levels of the x86-64 psABI, by the instructions that .NET can ask for.</summary>
    private static string Amd64Variant()
    {
        if (!Sse42.X64.IsSupported || !Popcnt.IsSupported) return "v1";
        if (!Avx2.IsSupported || !Bmi1.IsSupported || !Bmi2.IsSupported || !Fma.IsSupported || !Lzcnt.IsSupported) return "v2";
        return Avx512F.VL.IsSupported && Avx512BW.IsSupported && Avx512CD.IsSupported && Avx512DQ.IsSupported ? "v4" : "v3";
    }
}
