namespace Gantry.Benchmarks;

/// <summary>Everything that size could slow down, one after the other.</summary>
internal static class ScaleRun
{
    public static async Task RunAsync(RunSettings run)
    {
        (string, Func<RunSettings, Task>)[] parts =
            [("metadata", MetadataRun.RunAsync), ("collection", CollectionRun.RunAsync), ("s3", S3Run.RunAsync)];
        foreach (var (name, part) in parts)
        {
            Console.WriteLine($"== {name}");
            await part(run with { Root = run.Root.CreateSubdirectory(name) });
        }
    }
}
