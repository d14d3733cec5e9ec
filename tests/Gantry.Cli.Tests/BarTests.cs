using System.Text;
using Gantry.Cli.Output;
using Gantry.Cli.Tests.Kit;

namespace Gantry.Cli.Tests;

/// <summary>What a terminal shows while layers come, and when they have: however wide it is, however many there are, whatever is said meanwhile.</summary>
public sealed class BarTests : IDisposable
{
    private readonly MemoryStream _written = new();
    private readonly TickTime _time = new();
    private (int Columns, int Rows) _size = (80, 24);

    [Theory]
    [InlineData(80, 24, 3)]
    [InlineData(30, 24, 3)]
    [InlineData(12, 6, 4)]
    [InlineData(200, 50, 12)]
    [InlineData(80, 6, 40)]
    public void Bars_FromTheFirstByteToTheLast_LeaveALineALayer(int columns, int rows, int layers)
    {
        _size = (columns, rows);
        using (var bars = Start())
        {
            for (var percent = 0; percent <= 100; percent += 20)
            {
                for (var layer = 0; layer < layers; layer++) bars.Report(Step(layer, percent));
                _time.Tick();
                // Whatever is over, the window shows what is not, and no row breaks.
                Assert.InRange(Shown().Count, 1, rows);
            }
        }

        var shown = Shown();
        Assert.Equal(Enumerable.Range(0, layers).Select(layer => Cut($"layer-{layer:00}: Pull complete")), shown.Take(layers));
        Assert.Equal("", Assert.Single(shown.Skip(layers)));
    }

    [Fact]
    public void Bars_InAWindowThatGetsNarrow_OverwriteWhatBroke()
    {
        using (var bars = Start())
        {
            bars.Report(Step(0, 40));
            bars.Report(Step(1, 40));
            _time.Tick();
            // What stood on two rows breaks into four.
            var before = Encoding.UTF8.GetString(_written.ToArray());
            Assert.All(before.Split('\n'), line => Assert.InRange(line.Length, 0, 79 + 5));
            _size = (45, 24);
            _written.SetLength(0);
            bars.Report(Step(0, 60));
            _time.Tick();
            Assert.StartsWith("\u001b[4A", Encoding.UTF8.GetString(_written.ToArray()), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Say_BetweenBars_StaysAboveThem()
    {
        using (var bars = Start())
        {
            bars.Report(Step(0, 10));
            _time.Tick();
            bars.Say("the mirror is away");
            bars.Report(Step(0, 100));
            _time.Tick();
        }

        Assert.Equal(["the mirror is away", "layer-00: Pull complete", ""], Shown());
    }

    [Fact]
    public void Bars_WhereNothingMoves_AreNotDrawnAgain()
    {
        using var bars = Start();
        bars.Report(Step(0, 10));
        _time.Tick();
        var length = _written.Length;
        _time.Tick();
        Assert.Equal(length, _written.Length);
    }

    [Fact]
    public void Bars_AfterAFailure_ShowHowFarItCame()
    {
        using (var bars = Start()) bars.Report(Step(0, 50));
        Assert.Matches(@"^layer-00: Downloading +\[=+> +\]  50MB/100MB$", Shown()[0]);
    }

    public void Dispose() => _written.Dispose();

    private BarProgress Start() => new(new Screen(new MemoryStream(), _written, false, true, () => _size), _time);

    private static ProgressStep Step(int layer, int percent) => percent == 100 ? new ProgressStep($"layer-{layer:00}", "Pull complete", 0, 0, true)
        : new ProgressStep($"layer-{layer:00}", percent == 0 ? "Waiting" : "Downloading", percent * 1_000_000L, 100_000_000, false);

    private string Cut(string line) => line.Length < _size.Columns ? line : line[..(_size.Columns - 1)];

    private IReadOnlyList<string> Shown() => TerminalScreen.Lines(Encoding.UTF8.GetString(_written.ToArray()), _size.Columns, _size.Rows);

    /// <summary>Its only timer fires when the test says so.</summary>
    private sealed class TickTime : TimeProvider
    {
        private Action? _fire;

        public void Tick() => _fire?.Invoke();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            return new Nothing(this);
        }

        private sealed class Nothing(TickTime time) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() => time._fire = null;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
