namespace Gantry.Cli.Output;

/// <summary>One thing that moves, under a name that stays.</summary>
/// <param name="Key">A digest's short form, or a word.</param>
/// <param name="Status">What happens to it: <c>Downloading</c>.</param>
/// <param name="IsDone">Nothing more happens.</param>
internal readonly record struct ProgressStep(string Key, string Status, long Bytes, long Total, bool IsDone);

/// <summary>Shows how far something is. Told from any thread; its end is the end of the work, whether it went well or not.</summary>
internal interface IProgressView : IDisposable
{
    void Report(ProgressStep step);

    /// <summary>A sentence between the others.</summary>
    void Say(string sentence);
}

/// <summary>Says nothing.</summary>
internal sealed class NoProgress : IProgressView
{
    public void Report(ProgressStep step)
    {
    }

    public void Say(string sentence)
    {
    }

    public void Dispose()
    {
    }
}
