using System.Globalization;
using Gantry.Benchmarks;
using Gantry.Benchmarks.Pulls;

// Which run, and its options as --name value. Each prints one table of ratios and says in the README what it compares.
var isNamed = args is [var first, ..] && !first.StartsWith("--", StringComparison.Ordinal);
var run = isNamed ? args[0] : "peers";
var isQuick = args.Contains("--quick");
var options = args.Skip(isNamed ? 1 : 0).Where(word => word != "--quick").Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
var root = Directory.CreateDirectory(Path.Combine(options.GetValueOrDefault("--data", "/var/tmp"), $"gantry-bench-{Environment.ProcessId}"));
try
{
    var pairs = (run, isQuick) switch { (_, true) => 1, ("pull", _) => 3, _ => 5 };
    var settings = new RunSettings(root, Number("--pairs", pairs), Number("--mib", 1024), Number("--seconds", 5), Real("--fraction", isQuick ? 0.05 : 1),
        options.GetValueOrDefault("--images"), options.GetValueOrDefault("--gantry"));
    await (run switch
    {
        "peers" => Runs.AgainstPeerAsync(settings),
        "authorization" => Runs.AgainstNoAuthorizationAsync(settings),
        "scale" => ScaleRun.RunAsync(settings),
        "metadata" => MetadataRun.RunAsync(settings),
        "collection" => CollectionRun.RunAsync(settings),
        "s3" => S3Run.RunAsync(settings),
        "pages" => PagesRun.RunAsync(settings),
        "pull" => PullRun.RunAsync(settings),
        _ => throw new ArgumentException($"{run}: there are peers, authorization, scale, metadata, collection, s3, pages and pull"),
    });
}
finally
{
    root.Delete(recursive: true);
}

int Number(string name, int otherwise) => options.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

double Real(string name, double otherwise) => options.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

namespace Gantry.Benchmarks
{
    /// <param name="Root">A folder that goes with the run.</param>
    /// <param name="Mib">The size of a layer.</param>
    /// <param name="Seconds">How long a load lasts.</param>
    /// <param name="Fraction">Of the full size, where a run has one.</param>
    /// <param name="Images">A folder of OCI layouts to pull instead of those that the run makes.</param>
    /// <param name="Gantry">The command to measure; null: the one built with this program.</param>
    internal sealed record RunSettings(DirectoryInfo Root, int Pairs, int Mib, int Seconds, double Fraction, string? Images, string? Gantry);
}
