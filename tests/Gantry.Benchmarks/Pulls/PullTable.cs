namespace Gantry.Benchmarks.Pulls;

/// <summary>The measures of a run, the median of each with its spread beside the goal.</summary>
internal sealed class PullTable
{
    private readonly List<string> _rows = [];

    /// <summary>At most <paramref name="goal"/>.</summary>
    public void AtMost(string measure, IEnumerable<double> values, double goal, string format = "0.00") => Add(measure, values, $"<= {goal.ToString(format)}", median => median <= goal, format);

    /// <summary>At least, or with <paramref name="isMore"/> more than, <paramref name="goal"/>.</summary>
    public void AtLeast(string measure, IEnumerable<double> values, double goal, bool isMore) =>
        Add(measure, values, $"{(isMore ? ">" : ">=")} {goal:0.00}", median => isMore ? median > goal : median >= goal, "0.00");

    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine("| measure | median | lowest | highest | goal | |");
        Console.WriteLine("|---|---:|---:|---:|---:|---|");
        _rows.ForEach(Console.WriteLine);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private void Add(string measure, IEnumerable<double> values, string goal, Func<double, bool> isMet, string format)
    {
        var all = values.ToList();
        var median = Median(all);
        _rows.Add($"| {measure} | {median.ToString(format)} | {all.Min().ToString(format)} | {all.Max().ToString(format)} | {goal} | {(isMet(median) ? "met" : "missed")} |");
    }
}
