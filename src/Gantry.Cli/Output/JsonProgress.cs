namespace Gantry.Cli.Output;

/// <summary>For programs: one object a line, no more than ten a second for each thing.</summary>
internal sealed class JsonProgress(Screen screen, TimeProvider time) : IProgressView
{
    private const double SecondsBetween = 0.1;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Status, long At)> _last = new(StringComparer.Ordinal);

    public void Report(ProgressStep step)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_last.TryGetValue(step.Key, out var last) && last.Status == step.Status && time.GetElapsedTime(last.At, now).TotalSeconds < SecondsBetween) return;
            _last[step.Key] = (step.Status, now);
        }

        screen.Result(CliJson.Line(new ProgressLine("progress", step.Key, step.Status, step.Bytes, step.Total, step.IsDone)));
    }

    public void Say(string sentence) => screen.Result(CliJson.Line(new NoteLine("note", sentence)));

    public void Dispose()
    {
    }
}
