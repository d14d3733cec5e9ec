using Gantry.Engine.Images;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine;

/// <summary>How images are pulled.</summary>
public sealed record PullOptions
{
    /// <summary>Null: this machine's, and an image of one platform is taken whatever it is for, with a warning.</summary>
    public ImagePlatform? Platform { get; init; }

    /// <summary>
    /// Layers under way at a time, 1 to 64. Default: one a core, at least 3 so that one slow download does not stop the others, at most 8. Each takes up to 2 MiB of
    /// buffers, and what its decoder wants (200 KiB for gzip; for zstd the window that the layer asks for, of which all together keep 36 MiB in memory).
    /// </summary>
    public int Parallelism { get; init; } = Math.Clamp(Environment.ProcessorCount, 3, 8);

    /// <summary>False: the compressed layers are removed after they were unpacked. The image can be run and not be pushed, and a lost layer is fetched again.</summary>
    public bool KeepLayerBlobs { get; init; } = true;

    /// <summary>False: blobs alone.</summary>
    public bool Unpack { get; init; } = true;

    /// <summary>
    /// True: a layer is unpacked only after all of it is here and its digest was found right, for those who trust a digest more than a decoder. False: while it comes, and
    /// what was unpacked is thrown away where the digest is wrong; nobody sees it in between.
    /// </summary>
    public bool VerifyFirst { get; init; }

    /// <summary>How layers are unpacked, and how much of one is accepted.</summary>
    public UnpackOptions Unpacking { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal void Check()
    {
        if (Parallelism is < 1 or > 64) throw new EngineException(EngineFault.Usage, "between 1 and 64 layers can be pulled at a time");
    }
}

/// <summary>What happens to one layer.</summary>
public enum PullPhase
{
    /// <summary>Its turn has not come, or another process fetches or unpacks it.</summary>
    Waiting,

    /// <summary>Bytes of the blob that are here.</summary>
    Downloading,

    /// <summary>Bytes of the blob that are unpacked. Comes while it is downloaded, and goes on after it.</summary>
    Unpacking,

    /// <summary>It was here before: nothing is done.</summary>
    Exists,

    /// <summary>It is here, checked.</summary>
    Complete,
}

/// <summary>
/// A step of a pull. Reported in order for one layer and phase, by several threads at once for several; about every half MiB. A receiver that is slow slows the pull.
/// </summary>
/// <param name="Layer">Digest of the blob.</param>
/// <param name="Bytes">Of <paramref name="Total"/>, so far, in this phase.</param>
public readonly record struct PullProgress(Digest Layer, PullPhase Phase, long Bytes, long Total);

/// <summary>What a pull came to.</summary>
/// <param name="Image">As it is in the store now.</param>
/// <param name="IsNew">False: the store had all of it, under this name.</param>
/// <param name="WhyNotUnpacked">For artifacts and other things that are stored and cannot be unpacked here.</param>
/// <param name="Warnings">Sentences for the user.</param>
public sealed record PulledImage(StoredImage Image, bool IsNew, string? WhyNotUnpacked, IReadOnlyList<string> Warnings);
