namespace Gantry.Benchmarks;

/// <summary>
/// Two of the same kind (registries, repositories, ways), measured in turns; each ratio is taken within a pair, and the first
/// pair warms both up. Which of the two comes first changes with each pair: what gets faster, or slower, by and by does so for both.
/// </summary>
internal sealed class Comparison<T>(string ourName, T ours, string theirName, T theirs, int pairs)
{
    private readonly List<(string Measure, List<double> Ratios)> _table = [];

    public async Task MeasureAsync(string measure, Func<T, Task<double>> rate, Func<Task>? before = null)
    {
        var ratios = new List<double>();
        for (var pair = 0; pair <= pairs; pair++)
        {
            if (before is not null) await before();
            var isSwapped = pair % 2 == 1;
            var first = await rate(isSwapped ? theirs : ours);
            var second = await rate(isSwapped ? ours : theirs);
            var (one, other) = isSwapped ? (second, first) : (first, second);
            Console.WriteLine($"{measure}: {one:0} against {other:0}{(pair == 0 ? " (warm-up)" : "")}");
            if (pair > 0) ratios.Add(one / other);
        }

        _table.Add((measure, ratios));
    }

    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine($"| measure | {ourName} / {theirName}: median ratio | lowest | highest | pairs |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        foreach (var (measure, ratios) in _table)
        {
            var sorted = ratios.Order().ToList();
            Console.WriteLine($"| {measure} | {sorted[sorted.Count / 2]:0.00} | {sorted[0]:0.00} | {sorted[^1]:0.00} | {sorted.Count} |");
        }
    }
}
