using System.CommandLine;
using Gantry.Core.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Server.Admin;

/// <summary><c>gantry-server gc</c>: garbage collection by hand, also beside running servers.</summary>
internal static class GcCommands
{
    /// <summary>In the order in which a run gets to them.</summary>
    private static readonly (string Kind, string Text)[] Kinds =
    [
        ("upload", "uploads that rested too long"), ("untagged", "untagged manifests, to hide by a retention rule"), ("manifest", "manifests"),
        ("link", "links of repositories to blobs"), ("blob", "blobs"), ("orphan", "orphans: bytes without a row"), ("bytes", "locations whose rows went before"),
    ];

    public static Command Create(AdminVerbs verbs)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "only list what would go" };
        var gc = verbs.Verb("gc", "Remove what nobody needs any more, and stop when all that is due is gone.", async (result, services, stop) =>
            result.GetValue(dryRun) ? await PreviewAsync(services, stop) : await RunAsync(services, stop), dryRun);
        gc.Add(Why(verbs));
        return gc;
    }

    private static Command Why(AdminVerbs verbs)
    {
        var digest = AdminArguments.Digest();
        return verbs.Verb("why", "Say what keeps a blob or a manifest, and until when.", async (result, services, stop) =>
        {
            await foreach (var line in services.GetRequiredService<GcExplanation>().ExplainAsync(result.GetValue(digest), stop)) AdminVerbs.Print(line);
            return Verbs.Ok;
        }, digest);
    }

    private static async Task<int> RunAsync(IServiceProvider services, CancellationToken stop)
    {
        var done = await services.GetRequiredService<Collector>().RunAsync(everything: true, stop);
        Print("ended", done.Uploads, "uploads that rested too long");
        Print("hidden", done.Hidden, "untagged manifests, by a retention rule");
        Print("removed", done.Manifests, "manifests");
        Print("removed", done.Links, "links of repositories to blobs");
        Print("removed", done.Blobs, $"blobs of {done.Blobs.Bytes} bytes");
        Print("found", done.Orphans, $"orphans of {done.Orphans.Bytes} bytes");
        Print("deleted", done.Locations, "locations' bytes");
        return Verbs.Ok;

        static void Print(string verb, Reviewed what, string text) => AdminVerbs.Print($"{verb,-8}{what.Gone,8} {text}");
    }

    private static async Task<int> PreviewAsync(IServiceProvider services, CancellationToken stop)
    {
        var (counts, bytes) = (new long[Kinds.Length], new long[Kinds.Length]);
        await foreach (var item in services.GetRequiredService<GcPreview>().ListAsync(stop))
        {
            AdminVerbs.Print($"{item.Kind,-9}{item.Bytes?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-",14}  {item.Name}");
            var kind = Array.FindIndex(Kinds, known => known.Kind == item.Kind);
            counts[kind]++;
            bytes[kind] += item.Bytes ?? 0;
        }

        for (var kind = 0; kind < Kinds.Length; kind++)
        {
            if (counts[kind] > 0) AdminVerbs.Print($"would go: {counts[kind]} {Kinds[kind].Text}, {bytes[kind]} bytes");
        }

        return counts.Sum() > 0 ? Verbs.Ok : AdminVerbs.Print("nothing would go");
    }
}
