using System.Diagnostics.CodeAnalysis;

namespace Gantry.Core;

/// <summary>
/// A dictionary that forgets what was used least recently when it is full: its memory is bounded by
/// <paramref name="capacity"/>, whatever strangers send. Safe for many threads.
/// </summary>
internal sealed class RecentlyUsed<TKey, TValue>(int capacity) where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _byKey = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();

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
            if (_byKey.Remove(key, out var old)) _byUse.Remove(old);
            _byKey[key] = _byUse.AddFirst((key, value));
            if (_byKey.Count <= capacity) return;
            _byKey.Remove(_byUse.Last!.Value.Key);
            _byUse.RemoveLast();
        }
    }

    public void Remove(TKey key)
    {
        lock (_lock)
        {
            if (_byKey.Remove(key, out var node)) _byUse.Remove(node);
        }
    }
}
