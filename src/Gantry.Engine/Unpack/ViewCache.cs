namespace Gantry.Engine.Unpack;

/// <summary>
/// What all views of one chain remember of paths they looked up, within a bound: past it everything is forgotten, and looked up again where it is wanted. A
/// path of 4 KiB in a tree as deep has two thousand parents, whose paths are 4 MiB.
/// </summary>
internal sealed class ViewCache
{
    private const long MaxBytes = 16 << 20;

    // An entry of a dictionary, the array's header, what is remembered.
    private const int Overhead = 160;

    private readonly List<Action> _clearing = [];
    private long _bytes;

    public Dictionary<byte[], T> NewTable<T>()
    {
        var table = new Dictionary<byte[], T>(ByteNames.Comparer);
        _clearing.Add(table.Clear);
        return table;
    }

    public void Add<T>(Dictionary<byte[], T> table, byte[] path, T value)
    {
        if ((_bytes += path.Length + Overhead) > MaxBytes)
        {
            foreach (var clear in _clearing) clear();
            _bytes = path.Length + Overhead;
        }

        table[path] = value;
    }
}
