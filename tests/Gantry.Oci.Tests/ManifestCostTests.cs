using System.Text;

namespace Gantry.Oci.Tests;

/// <summary>
/// No 4 MiB of hostile input may cost more than linear work: quadratic duplicate checks or flooded hash tables would take
/// minutes here, where every document takes some 0.1 to 0.3 s of one core.
/// </summary>
[Collection("alone")]
public sealed class ManifestCostTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1); // debug build, CPU time and not the clock

    public static TheoryData<string> Documents =>
    [
        "unique keys", "escaped keys", "case variants", "annotations", "numbers", "empty objects", "deep chains", "wide and deep",
        "one long key", "duplicate at the end", "layers", "objects of 33 keys", "unclosed arrays",
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void HostileDocument_CostsBoundedTimeAndMemory(string name)
    {
        var content = Encoding.UTF8.GetBytes(Build(name));
        Assert.InRange(content.Length, ManifestDocument.MaxBytes * 9 / 10, ManifestDocument.MaxBytes);

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var before = Environment.CpuUsage.UserTime;
        try
        {
            ManifestDocument.Parse(content, "application/vnd.example");
        }
        catch (OciException)
        {
            // refused or taken, the price counts
        }

        Assert.InRange(Environment.CpuUsage.UserTime - before, TimeSpan.Zero, Limit);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 128 << 20);
    }

    private static string Build(string name) => name switch
    {
        "unique keys" => Repeat("{", i => $"\"{i:x}\":0,", "\"z\":0}"),
        "escaped keys" => Repeat("{", i => $"\"\\u0061{i:x}\":0,", "\"z\":0}"),
        "case variants" => Repeat("{\"x\":[", _ => "{\"Size\":0,\"SIze\":1,\"sIZE\":2},", "0]}"),
        "annotations" => Repeat("{\"annotations\":{", i => $"\"{i:x}\":\"\",", "\"z\":\"\"}}"),
        "numbers" => Repeat("{\"x\":[", _ => "0,", "0]}"),
        "empty objects" => Repeat("{\"x\":[", _ => "{},", "0]}"),
        "deep chains" => Repeat("{\"x\":[", _ => Chain(60) + ",", "0]}"),
        "wide and deep" => string.Concat(Enumerable.Repeat("{\"a\":", 60))
            + Repeat("[", _ => "{\"a\":0,\"b\":0},", "0]") + new string('}', 60),
        "one long key" => Repeat("{\"", _ => "aaaaaaaa", "\":0}"),
        "duplicate at the end" => Repeat("{", i => $"\"{i:x}\":0,", "\"1\":0}"),
        "layers" => Repeat("{\"layers\":[", _ => SampleDocuments.Layer + ",", SampleDocuments.Layer + "]}"),
        "objects of 33 keys" => Repeat("{\"x\":[", _ => "{" + string.Concat(Enumerable.Range(0, 33).Select(i => $"\"{i}\":0,")) + "\"x\":0},", "0]}"),
        "unclosed arrays" => Repeat("{\"x\":", _ => "[", ""),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    private static string Chain(int depth) =>
        string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "0" + new string('}', depth);

    private static string Repeat(string head, Func<int, string> item, string tail)
    {
        var text = new StringBuilder(head, ManifestDocument.MaxBytes);
        for (var i = 0; text.Length < ManifestDocument.MaxBytes - 1200; i++) text.Append(item(i));
        return text.Append(tail).ToString();
    }
}

[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;
