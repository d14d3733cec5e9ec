using System.Text.RegularExpressions;

namespace Gantry.Cli.Tests.Kit;

/// <summary>What a terminal shows of what was written to it: as much of one as the bars use, and a fault for anything else.</summary>
internal static partial class TerminalScreen
{
    /// <summary>The lines from the first to the last, those that have scrolled away included.</summary>
    public static IReadOnlyList<string> Lines(string written, int columns, int rows)
    {
        var lines = new List<char[]> { Empty() };
        var (row, column) = (0, 0);
        for (var i = 0; i < written.Length; i++)
        {
            switch (written[i])
            {
                case '\r':
                    column = 0;
                    break;
                case '\n':
                    // The kernel's terminal puts the cursor to the left as well.
                    (row, column) = (row + 1, 0);
                    if (row == lines.Count) lines.Add(Empty());
                    break;
                case '\u001b':
                    var sequence = Sequence().Match(written, i);
                    Assert.True(sequence.Success, $"a sequence that no bar needs: {written[i..Math.Min(written.Length, i + 10)].Replace('\u001b', '^')}");
                    i += sequence.Length - 1;
                    // A cursor does not leave the window.
                    if (sequence.Groups["up"].Success) row = Math.Max(Math.Max(0, lines.Count - rows), row - int.Parse(sequence.Groups["up"].ValueSpan));
                    else if (sequence.Value[^1] == 'K') Array.Fill(lines[row], ' ', column, columns - column);
                    else
                    {
                        Array.Fill(lines[row], ' ', column, columns - column);
                        lines.RemoveRange(row + 1, lines.Count - row - 1);
                    }

                    break;
                case var c:
                    Assert.False(char.IsControl(c));
                    if (column == columns)
                    {
                        (row, column) = (row + 1, 0);
                        if (row == lines.Count) lines.Add(Empty());
                    }

                    lines[row][column++] = c;
                    break;
            }
        }

        return [.. lines.Select(line => new string(line).TrimEnd())];

        char[] Empty() => [.. Enumerable.Repeat(' ', columns)];
    }

    [GeneratedRegex(@"\G\e\[(?:(?<up>\d+)A|K|J)")]
    private static partial Regex Sequence();
}
