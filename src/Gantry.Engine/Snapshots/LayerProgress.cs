using Gantry.Engine.Images;

namespace Gantry.Engine.Snapshots;

/// <summary>One layer's steps, passed on every half MiB and at the end: a terminal wants no more.</summary>
internal sealed class LayerProgress(IProgress<PullProgress>? progress, ContentReference layer)
{
    private const long Stride = 512 * 1024;

    private long _downloaded, _unpacked;

    public void Step(PullPhase phase) =>
        progress?.Report(new PullProgress(layer.Digest, phase, phase is PullPhase.Complete or PullPhase.Exists ? layer.Size : 0, layer.Size));

    /// <summary>On the thread that downloads.</summary>
    public void Downloaded(long bytes) => Report(ref _downloaded, PullPhase.Downloading, bytes);

    /// <summary>On the thread that decodes.</summary>
    public void Unpacked(long bytes) => Report(ref _unpacked, PullPhase.Unpacking, bytes);

    private void Report(ref long last, PullPhase phase, long bytes)
    {
        if (progress is null || (bytes - last < Stride && bytes < layer.Size && last > 0 && bytes > last)) return;
        last = bytes;
        progress.Report(new PullProgress(layer.Digest, phase, bytes, layer.Size));
    }
}
