using System.Diagnostics.CodeAnalysis;

namespace Gantry.Core;

/// <summary>
/// A dictionary that forgets what was used least recently when it is full: its memory is bounded by
/// <paramref name="capacity"/>, whatever strangers send. Safe for many threads.
/// </summary>
/// <param name="capacity">How much all values together may weigh.</param>
/// <param name="weigh">What a value weighs, the same at each call; without it each weighs 1.</param>
internal sealed class RecentlyUsed<TKey, TValue>(long capacity, Func<TValue, long>? weigh = null) where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _byKey = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();
    private long _weight;

    public int Count
    {
        get { lock (_lock) return _byKey.Count; }
    }

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_lock)
        {
            if (_byKey.TryGetValue(key, out var node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                value = node.Value.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        lock (_lock)
        {
            if (TryGet(key, out var known)) return known;
            var value = create();
            Set(key, value);
            return value;
        }
    }

    public void Set(TKey key, TValue value)
    {
        lock (_lock)
        {
            Remove(key);
            _byKey[key] = _byUse.AddFirst((key, value));
            _weight += Weigh(value);
            while (_weight > capacity) Remove(_byUse.Last!.Value.Key);
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            if (!_byKey.Remove(key, out var node)) return;
            _byUse.Remove(node);
            _weight -= Weigh(node.Value.Value);
        }
    }

    private long Weigh(TValue value) => weigh?.Invoke(value) ?? 1;
}
