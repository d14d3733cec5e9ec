namespace Gantry.Cli.Output;

/// <summary>Columns as docker prints them: as wide as their widest cell, three spaces between them.</summary>
internal static class Table
{
    private const int Gap = 3;

    public static void Print(Screen screen, IReadOnlyList<string> heads, IReadOnlyList<string[]> rows)
    {
        var widths = heads.Select((head, column) => Math.Max(head.Length, rows.Select(row => row[column].Length).DefaultIfEmpty().Max())).ToArray();
        foreach (var row in rows.Prepend([.. heads]))
            screen.Result(string.Concat(row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column] + Gap))).TrimEnd());
    }
}
