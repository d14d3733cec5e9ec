namespace Gantry.Core.GarbageCollection;

/// <summary>What a run now would take of one kind: how much, and the first of it by name.</summary>
/// <param name="named">How many are named, which bounds its memory; the rest are counted.</param>
public sealed class GcKind(string kind, int named)
{
    private readonly List<string> _names = [];

    /// <summary>As <see cref="GcItem"/> has it.</summary>
    public string Kind => kind;

    public long Count { get; private set; }

    /// <summary>As far as they are known.</summary>
    public long Bytes { get; private set; }

    public IReadOnlyList<string> Names => _names;

    internal void Add(GcItem item)
    {
        Count++;
        Bytes += item.Bytes ?? 0;
        if (_names.Count < named) _names.Add(item.Name);
    }
}
