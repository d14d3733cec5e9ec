using System.Text;
using System.Text.Json;

namespace Gantry.TestKit;

/// <summary>The plans that PostgreSQL logged (auto_explain, JSON), and what is wrong with them.</summary>
public static class QueryPlans
{
    /// <summary>Tables that grow with the registry. Others are a handful of rows, which a sequential scan suits best.</summary>
    private static readonly HashSet<string> Growing =
        ["blobs", "blob_links", "manifests", "manifest_references", "tags", "tag_history", "events", "doomed_locations", "upload_sessions"];

    /// <summary>Those that pages read besides; they are large in a <see cref="ScaleDatabase"/> once <see cref="ScalePages"/> has filled them.</summary>
    public static readonly IReadOnlyList<string> GrowingForPages =
        ["repositories", "repository_statistics", "tag_pulls", "manifest_facts", "accounts", "webhook_deliveries", "layer_listings", "layer_pages"];

    /// <summary>What an index scan may read and throw away; more, and it reads with the wrong index.</summary>
    private const double MostFiltered = 1100;

    /// <summary>One line for each statement that reads a growing table otherwise than by an index, or most of one.</summary>
    /// <param name="log">PostgreSQL's log from where the statements began.</param>
    /// <param name="alsoGrowing">Tables that are large here and nowhere else.</param>
    public static (int Plans, IReadOnlyList<string> Faults) Check(string log, IReadOnlyList<string>? alsoGrowing = null)
    {
        var plans = 0;
        HashSet<string> growing = [.. Growing, .. alsoGrowing ?? []];
        var faults = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var text in Documents(log))
        {
            using var document = JsonDocument.Parse(text);
            plans++;
            var query = string.Join(' ', document.RootElement.GetProperty("Query Text").GetString()!.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            Walk(document.RootElement.GetProperty("Plan"), growing, fault => faults.Add($"{fault}: {query}"));
        }

        return (plans, [.. faults]);
    }

    /// <summary>The plan that took longest, with its statement, and how long in milliseconds; empty where there is none.</summary>
    public static (double Milliseconds, string Plan) Slowest(string log)
    {
        (double Milliseconds, string Plan) slowest = (0, "");
        foreach (var text in Documents(log))
        {
            using var document = JsonDocument.Parse(text);
            var took = document.RootElement.GetProperty("Plan").GetProperty("Actual Total Time").GetDouble();
            if (took > slowest.Milliseconds) slowest = (took, text);
        }

        return slowest;
    }

    /// <summary>How many pages each statement with these words in it has read, from memory or from the disk.</summary>
    public static IReadOnlyList<int> Pages(string log, string words)
    {
        var pages = new List<int>();
        foreach (var text in Documents(log))
        {
            using var document = JsonDocument.Parse(text);
            if (!document.RootElement.GetProperty("Query Text").GetString()!.Contains(words, StringComparison.Ordinal)) continue;
            var plan = document.RootElement.GetProperty("Plan");
            pages.Add(plan.GetProperty("Shared Hit Blocks").GetInt32() + plan.GetProperty("Shared Read Blocks").GetInt32());
        }

        return pages;
    }

    private static void Walk(JsonElement node, HashSet<string> growing, Action<string> report)
    {
        var type = node.GetProperty("Node Type").GetString()!;
        var table = node.TryGetProperty("Relation Name", out var name) ? name.GetString()! : "";
        if (type == "Seq Scan" && growing.Contains(table)) report($"sequential scan of {table}");
        if (node.TryGetProperty("Rows Removed by Filter", out var removed) && removed.GetDouble() > MostFiltered)
            report($"{type} of {table} threw {removed.GetDouble():0} rows away");
        if (type is "Index Scan" or "Index Only Scan" && node.GetProperty("Actual Rows").GetDouble() * node.GetProperty("Actual Loops").GetDouble() > 10 * MostFiltered)
            report($"{type} of {table} read {node.GetProperty("Actual Rows").GetDouble():0} rows");
        if (!node.TryGetProperty("Plans", out var below)) return;
        foreach (var child in below.EnumerateArray()) Walk(child, growing, report);
    }

    // "... LOG:  duration: 0.1 ms  plan:" and the document on the lines after it, each behind a tab.
    private static IEnumerable<string> Documents(string log)
    {
        StringBuilder? document = null;
        foreach (var line in log.Split('\n'))
        {
            if (document is not null && line.StartsWith('\t'))
            {
                document.Append(line);
                continue;
            }

            if (document is not null) yield return document.ToString();
            document = line.EndsWith(" plan:", StringComparison.Ordinal) ? new StringBuilder() : null;
        }

        if (document is not null) yield return document.ToString();
    }
}
