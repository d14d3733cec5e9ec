using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Cli;

/// <summary>Pulling with progress, for the commands that need an image.</summary>
internal static class Pulls
{
    public const string Missing = "missing", Always = "always", Never = "never";

    public static async Task<PulledImage> PullAsync(Session session, ImageStore store, ImageName name, PullOptions options, CancellationToken ct)
    {
        var puller = new ImagePuller(store, session.OpenRegistries(), options);
        var pulled = await puller.PullAsync(name, new LayerSteps(session.Progress), ct);
        await Settling.BeginAsync(session, store);
        session.EndProgress();
        foreach (var warning in pulled.Warnings) session.Warn(warning);
        if (pulled.WhyNotUnpacked is { } why && options.Unpack) session.Warn($"stored without unpacking it: {why}");
        return pulled;
    }

    /// <summary>The image as the store has it, pulled first where it has none, or one for another platform than was asked for.</summary>
    /// <param name="policy">In docker's words: <c>missing</c>, <c>always</c>, or <c>never</c>, which is NotFound where it would be pulled.</param>
    public static async Task<StoredImage> EnsureAsync(Session session, ImageStore store, ImageName name, CancellationToken ct, string policy = Missing)
    {
        if (policy == Always) return (await PullAsync(session, store, name, session.PullOptions, ct)).Image;
        var found = store.Find(name);
        var isRight = found is not null && (session.Platform is not { } wanted || found.Platform == wanted);
        if (isRight && (!found!.IsUnpackable || store.FindChain(found) is not null)) return found;
        if (policy == Never) throw new EngineException(EngineFault.NotFound, isRight ? $"the layers of {name} are not all in the store"
            : $"there is no image {name}{(found is null ? "" : $" for {session.Platform}")} in the store");
        if (!session.IsQuiet && !session.IsJson && found is null) session.Screen.Note($"Unable to find image '{name}' locally: pulling it");
        return (await PullAsync(session, store, name, session.PullOptions, ct)).Image;
    }

    /// <summary>What is there, or NotFound.</summary>
    public static StoredImage Find(ImageStore store, ImageName name) =>
        store.Find(name) ?? throw new EngineException(EngineFault.NotFound, $"there is no image {name} in the store");
}

/// <summary>A layer's phases in docker's words. Each is reported alone: the terminal may be slow, the pull is not.</summary>
/// <param name="fetching">What it is called that bytes come.</param>
internal sealed class LayerSteps(IProgressView view, string fetching = "Downloading") : IProgress<PullProgress>
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, PullPhase> _furthest = new(StringComparer.Ordinal);

    public void Report(PullProgress value)
    {
        var key = Shown.Short(value.Layer);
        // A layer is unpacked while it still comes: the bar shows the download until that is over, then what is left to unpack.
        var furthest = _furthest.AddOrUpdate(key, value.Phase, (_, before) => value.Phase == PullPhase.Unpacking && before == PullPhase.Downloading ? before : value.Phase);
        if (value.Phase == PullPhase.Downloading && value.Bytes >= value.Total) _furthest[key] = PullPhase.Unpacking;
        if (furthest != value.Phase) return;
        var total = value.Phase == PullPhase.Waiting ? 0 : value.Total;
        view.Report(new ProgressStep(key, value.Phase == PullPhase.Downloading ? fetching : Words(value.Phase), value.Bytes, total, value.Phase is PullPhase.Complete or PullPhase.Exists));
    }

    private static string Words(PullPhase phase) => phase switch
    {
        PullPhase.Waiting => "Waiting",
        PullPhase.Unpacking => "Extracting",
        PullPhase.Exists => "Already exists",
        _ => "Pull complete",
    };
}
