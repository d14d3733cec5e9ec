namespace Gantry.Engine.Unpack;

/// <summary>What went otherwise than the layer asks, for people: the first hundred sentences, each once, and how often something was to be said.</summary>
internal sealed class UnpackWarnings
{
    private const int MaxTexts = 100;

    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Texts => _texts;

    public long Count { get; private set; }

    public void Add(string text)
    {
        Count++;
        if (_texts.Count < MaxTexts) _texts.Add(text);
    }
}
