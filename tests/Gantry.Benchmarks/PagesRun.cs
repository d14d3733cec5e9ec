using System.Diagnostics;
using System.Globalization;
using Gantry.TestKit;

namespace Gantry.Benchmarks;

/// <summary>
/// The web page at 100,000 tags in a repository and 10,000 repositories: how long the server takes for each kind of page that an administrator finds by
/// links, and the plans of what it asks the database, read where they ran.
/// </summary>
internal static class PagesRun
{
    private const int PerKind = 2, WarmUps = 3, Rounds = 20, GoalMilliseconds = 50;

    // What people type, and links in the middle of what is large: no link of a first page leads there.
    private static readonly string[] Typed =
    [
        "/", "/?q=worker", "/?q=team7%2F", $"/repositories/{ScaleDatabase.Large}", $"/repositories/{ScaleDatabase.Large}?filter=t9", $"/repositories/{ScaleDatabase.Small}",
        $"/history/{ScaleDatabase.Large}:{ScalePages.MovedTag}", $"/repositories/{PageImage.Repository}", $"/audit?account={ScalePages.Busy}", "/audit?namespace=scale",
        $"/compare/{PageImage.Repository}?from=1.0&to=1.1", $"/files/{PageImage.Repository}:1.0?path=usr/share/many/d7", $"/audit?repository={Uri.EscapeDataString(ScaleDatabase.Large)}", "/audit?kind=denied",
        "/audit?kind=gc.run", "/audit?account=nobody", "/audit?repository=scale%2Fnothing", "/audit?until=2020-01-01", "/audit?kind=push&from=2020-01-01&until=2999-01-01",
    ];

    public static async Task RunAsync(RunSettings run)
    {
        var clock = Stopwatch.StartNew();
        await using var scale = await ScaleDatabase.StartAsync(run.Fraction, durable: true, Path.Combine(run.Root.FullName, "postgres"));
        // The first start makes the administrator, where there is nobody yet.
        await using (await StartAsync(run, scale)) await ScalePages.FillAsync(scale);
        Console.WriteLine($"{scale.Tags} tags in a repository, {ScalePages.Repositories} repositories made in {clock.Elapsed.TotalSeconds:0} s");

        List<string> paths;
        var slow = new HashSet<string>(StringComparer.Ordinal);
        await using (var gantry = await StartAsync(run, scale))
        {
            await PageImage.PushAsync(gantry);
            await UntilQuietAsync(scale);
            using var session = await PageSession.OpenAsync(gantry.Address, "admin", RegistryProcess.Password);
            var found = (await new PageCrawl(session, PerKind, without: "wait").RunAsync(Typed)).Where(page => page.Kind is not null && page.Reply.IsHtml).ToList();
            if (found.Find(page => (int)page.Reply.Status >= 400) is { } wrong) throw new InvalidOperationException($"{wrong.Path} answers {wrong.Reply.Status}");
            paths = [.. found.GroupBy(page => page.Kind).SelectMany(kind => kind.Where(page => Typed.Contains(page.Path)).Concat(kind.Take(PerKind))).Select(page => page.Path).Distinct()];
            Console.WriteLine("\n| page | kB | ms: median | of the whole, where streamed | slowest of 20 | |\n|---|---:|---:|---:|---:|---|");
            foreach (var path in run.Pairs > 0 ? paths : []) await MeasureAsync(session, path, slow);
        }

        await scale.ExplainAsync();
        await using (var gantry = await StartAsync(run, scale))
        {
            using var session = await PageSession.OpenAsync(gantry.Address, "admin", RegistryProcess.Password);
            await CheckPlansAsync(session, scale, paths, slow);
        }
    }

    private static Task<RegistryProcess> StartAsync(RunSettings run, ScaleDatabase scale) => RegistryProcess.StartGantryAsync(
        run.Root.CreateSubdirectory("pages").FullName, settings: [$"ConnectionStrings:Registry={scale.ConnectionString}", "Gc:Enabled=false"]);

    private static async Task MeasureAsync(PageSession session, string path, HashSet<string> slow)
    {
        // What takes longer than anybody waits is asked for once, not twenty times.
        var isWhole = (await session.GetAsync(path)).IsWhole;
        for (var i = 1; isWhole && i < WarmUps; i++) await session.GetAsync(path);
        var replies = new List<PageReply>();
        for (var i = 0; i < (isWhole ? Rounds : 1); i++) replies.Add(await session.GetAsync(path));
        // A part that takes long is sent behind the page: what somebody waits for is the page.
        var isStreamed = replies[0].IsStreamed;
        var times = replies.Select(reply => isStreamed ? reply.First : reply.Took).Order().Select(time => time.TotalMilliseconds).ToList();
        var whole = replies.Select(reply => reply.Took.TotalMilliseconds).Order().ElementAt(replies.Count / 2);
        var isMissed = times[replies.Count / 2] >= GoalMilliseconds;
        if (isMissed) slow.Add(path);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {path} | {replies[0].Bytes / 1000.0:0} | {times[replies.Count / 2]:0.0} | {(isStreamed ? whole.ToString("0.0", CultureInfo.InvariantCulture) : "")} | {times[^1]:0.0} | {(isMissed ? "**missed**" : "")} |"));
    }

    private static async Task CheckPlansAsync(PageSession session, ScaleDatabase scale, List<string> paths, HashSet<string> slow)
    {
        await session.GetAsync("/");
        var (plans, faults) = (0, new SortedSet<string>(StringComparer.Ordinal));
        foreach (var path in paths)
        {
            var start = new FileInfo(scale.LogFile).Length;
            await session.GetAsync(path);
            var log = await LogAsync(scale, start);
            var (read, wrong) = QueryPlans.Check(log, QueryPlans.GrowingForPages);
            plans += read;
            foreach (var fault in wrong.Where(fault => !IsMeant(path, fault))) faults.Add($"{path}: {fault}");
            if (!slow.Contains(path)) continue;
            var (milliseconds, plan) = QueryPlans.Slowest(log);
            Console.WriteLine($"{path}: {read} statements, the slowest {milliseconds:0.0} ms:\n{plan}");
        }

        Console.WriteLine($"{paths.Count} pages, {plans} plans read, {faults.Count} that are no index scan");
        if (plans < 3 * paths.Count) throw new InvalidOperationException("too few: PostgreSQL needs its auto_explain (Debian: postgresql, or postgresql-contrib)");
        if (faults.Count > 0) throw new InvalidOperationException(string.Join('\n', faults));
    }

    // What is meant to look at more than it shows, and takes milliseconds for it; or looks at everything, and is streamed.
    private static bool IsMeant(string path, string fault) =>
        // Words are held against every name: no index finds a part of one.
        (path.Contains("q=", StringComparison.Ordinal) && fault.Contains("repositories", StringComparison.Ordinal))
        || (path.Contains("filter=", StringComparison.Ordinal) && fault.StartsWith("Subquery Scan", StringComparison.Ordinal))
        // Whose events are one in fifty is found by reading past the others'.
        || (path.Contains($"account={ScalePages.Busy}", StringComparison.Ordinal) && fault.StartsWith("Index Scan of events threw", StringComparison.Ordinal))
        // Sums of all repositories, a row each.
        || (path.StartsWith("/storage", StringComparison.Ordinal) && fault.StartsWith("sequential scan of repositor", StringComparison.Ordinal))
        // A dry run, and exact bytes.
        || path.StartsWith("/gc/preview", StringComparison.Ordinal) || path.StartsWith("/usage/", StringComparison.Ordinal);

    private static async Task<string> LogAsync(ScaleDatabase scale, long start)
    {
        await using var log = new FileStream(scale.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = start;
        using var reader = new StreamReader(log);
        return await reader.ReadToEndAsync();
    }

    // The workers count what was pushed; what they read meanwhile is no page's time.
    private static async Task UntilQuietAsync(ScaleDatabase scale)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (await scale.QueryAsync<long>(
            """
            SELECT (SELECT count(*) FROM events WHERE pending) + (SELECT count(*) FROM layer_listings WHERE state IN ('waiting', 'reading'))
                 + (SELECT count(*) FROM repository_statistics WHERE stale_since IS NOT NULL) + (SELECT count(*) FROM manifest_facts WHERE due_at IS NOT NULL)
            """) > 0)
        {
            await Task.Delay(200, limit.Token);
        }
    }
}
