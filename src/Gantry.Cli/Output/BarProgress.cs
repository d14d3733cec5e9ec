using System.Text;

namespace Gantry.Cli.Output;

/// <summary>
/// A bar for each thing that moves, on a terminal. Drawn ten times a second in one write: the cursor goes up over the rows drawn last, each line is written over and
/// cleared to its end, so nothing flickers. The width is asked for at each time, and no line is as wide as the terminal: a smaller window breaks none that is drawn
/// later, and of those drawn before it the rows they take now are counted.
/// </summary>
internal sealed class BarProgress : IProgressView
{
    private const string Clear = "\e[K", Below = "\e[J";
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    private readonly Screen _screen;
    private readonly Lock _gate = new();
    private readonly List<ProgressStep> _steps = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly ITimer _timer;
    private List<string> _drawn = [];
    private bool _isChanged, _isOver;

    public BarProgress(Screen screen, TimeProvider time)
    {
        _screen = screen;
        _timer = time.CreateTimer(_ => Redraw(isLast: false), null, Every, Every);
    }

    public void Report(ProgressStep step)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(step.Key, out var place)) _steps[place] = step;
            else
            {
                _places.Add(step.Key, _steps.Count);
                _steps.Add(step);
            }

            _isChanged = true;
        }
    }

    /// <summary>Above the bars, which go on below it.</summary>
    public void Say(string sentence)
    {
        lock (_gate)
        {
            var text = new StringBuilder();
            Up(text, _screen.Size().Columns);
            _screen.Draw(text.Append(Below).Append(sentence).Append('\n').ToString());
            _drawn = [];
            _isChanged = true;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Redraw(isLast: true);
    }

    private void Redraw(bool isLast)
    {
        lock (_gate)
        {
            if (_isOver || (!_isChanged && !isLast)) return;
            (_isChanged, _isOver) = (false, isLast);
            var (columns, rows) = _screen.Size();
            var lines = Lines(columns, isLast ? int.MaxValue : rows - 1);
            var text = new StringBuilder();
            Up(text, columns);
            foreach (var line in lines) text.Append(line).Append(Clear).Append('\n');
            _screen.Draw(text.Append(Below).ToString());
            _drawn = lines;
        }
    }

    private void Up(StringBuilder text, int columns)
    {
        var rows = _drawn.Sum(line => Math.Max(1, (line.Length + columns - 1) / columns));
        if (rows > 0) text.Append($"\e[{rows}A\r");
    }

    /// <summary>What does not fit is what is done, then what has not begun.</summary>
    private List<string> Lines(int columns, int rows)
    {
        var shown = _steps;
        if (shown.Count > rows)
        {
            var moving = _steps.Where(step => !step.IsDone).Take(Math.Max(1, rows - 1)).ToList();
            var hidden = _steps.Count - moving.Count;
            return [.. moving.Select(step => Line(step, columns)), Cut($"and {hidden} more, {_steps.Count(step => step.IsDone)} of {_steps.Count} done", columns)];
        }

        return shown.ConvertAll(step => Line(step, columns));
    }

    internal static string Line(ProgressStep step, int columns)
    {
        var head = $"{step.Key}: {step.Status}";
        if (step.IsDone || step.Total <= 0) return Cut(head, columns);

        var sizes = $"{Shown.Size(step.Bytes)}/{Shown.Size(step.Total)}";
        head = head.PadRight(28);
        var room = Math.Min(50, columns - 1 - head.Length - sizes.Length - 5);
        if (room < 5) return Cut($"{head} {sizes}", columns);

        var filled = (int)(Math.Clamp((double)step.Bytes / step.Total, 0, 1) * room);
        var bar = new string('=', filled) + (filled < room ? ">" : "");
        return Cut($"{head} [{bar.PadRight(room + 1)[..room]}]  {sizes}", columns);
    }

    private static string Cut(string line, int columns) => line.Length < columns ? line : line[..Math.Max(0, columns - 1)];
}
