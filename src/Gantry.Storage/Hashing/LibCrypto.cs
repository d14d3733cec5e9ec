using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Gantry.Oci;

namespace Gantry.Storage.Hashing;

/// <summary>
/// OpenSSL 3's low-level SHA-2. Deprecated there in favour of EVP, whose state cannot be saved; they run the same
/// assembler. <see cref="IsAvailable"/> is decided once, by a known answer.
/// </summary>
internal static partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    public static bool IsAvailable { get; } = Answers();

    public static void Init(DigestAlgorithm algorithm, Span<ulong> context) =>
        Check(algorithm == DigestAlgorithm.Sha256
            ? Sha256Init(ref MemoryMarshal.GetReference(context))
            : Sha512Init(ref MemoryMarshal.GetReference(context)));

    public static void Update(DigestAlgorithm algorithm, Span<ulong> context, ReadOnlySpan<byte> bytes)
    {
        ref var into = ref MemoryMarshal.GetReference(context);
        ref readonly var data = ref MemoryMarshal.GetReference(bytes);
        Check(algorithm == DigestAlgorithm.Sha256
            ? Sha256Update(ref into, in data, (nuint)bytes.Length)
            : Sha512Update(ref into, in data, (nuint)bytes.Length));
    }

    /// <summary>Spends the context; give it a copy.</summary>
    public static void Final(DigestAlgorithm algorithm, Span<ulong> context, Span<byte> hash) =>
        Check(algorithm == DigestAlgorithm.Sha256
            ? Sha256Final(ref MemoryMarshal.GetReference(hash), ref MemoryMarshal.GetReference(context))
            : Sha512Final(ref MemoryMarshal.GetReference(hash), ref MemoryMarshal.GetReference(context)));

    private static void Check(int result)
    {
        if (result != 1) throw new CryptographicException($"{Library} refused to hash");
    }

    /// <summary>
    /// Hashes a known text in two steps with a save and a resume between: proves the functions and the layout.
    /// </summary>
    private static bool Answers()
    {
        if (!NativeLibrary.TryLoad(Library, out var library)) return false;
        string[] functions =
            ["SHA256_Init", "SHA256_Update", "SHA256_Final", "SHA512_Init", "SHA512_Update", "SHA512_Final"];
        if (!Array.TrueForAll(functions, name => NativeLibrary.TryGetExport(library, name, out _))) return false;

        var text = new byte[300];
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
        {
            var first = new LibCryptoDigest(algorithm);
            first.Append(text.AsSpan(0, 131));
            var second = LibCryptoDigest.Resume(algorithm, 131, first.Save());
            second?.Append(text.AsSpan(131));
            if (second is null || second.Current() != Digest.Of(text, algorithm)) return false;
        }

        return true;
    }

    [LibraryImport(Library, EntryPoint = "SHA256_Init")]
    private static partial int Sha256Init(ref ulong context);

    [LibraryImport(Library, EntryPoint = "SHA256_Update")]
    private static partial int Sha256Update(ref ulong context, in byte data, nuint count);

    [LibraryImport(Library, EntryPoint = "SHA256_Final")]
    private static partial int Sha256Final(ref byte hash, ref ulong context);

    [LibraryImport(Library, EntryPoint = "SHA512_Init")]
    private static partial int Sha512Init(ref ulong context);

    [LibraryImport(Library, EntryPoint = "SHA512_Update")]
    private static partial int Sha512Update(ref ulong context, in byte data, nuint count);

    [LibraryImport(Library, EntryPoint = "SHA512_Final")]
    private static partial int Sha512Final(ref byte hash, ref ulong context);
}
