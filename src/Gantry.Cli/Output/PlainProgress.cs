using System.Collections.Concurrent;

namespace Gantry.Cli.Output;

/// <summary>For logs: a line where the status of something changes, none for each byte.</summary>
internal sealed class PlainProgress(Screen screen) : IProgressView
{
    private readonly ConcurrentDictionary<string, string> _last = new(StringComparer.Ordinal);

    public void Report(ProgressStep step)
    {
        var isNew = false;
        _last.AddOrUpdate(step.Key, _ => Changed(), (_, last) => last == step.Status ? last : Changed());
        if (isNew) screen.Note($"{step.Key}: {step.Status}{(step.IsDone || step.Total == 0 ? "" : $" {Shown.Size(step.Total)}")}");

        string Changed()
        {
            isNew = true;
            return step.Status;
        }
    }

    public void Say(string sentence) => screen.Note(sentence);

    public void Dispose()
    {
    }
}
