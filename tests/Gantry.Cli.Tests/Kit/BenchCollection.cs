namespace Gantry.Cli.Tests.Kit;

/// <summary>The classes that share one registry. It ends before the database does, which is the assembly's.</summary>
[CollectionDefinition(Name)]
public sealed class BenchCollection : ICollectionFixture<Bench>
{
    public const string Name = "bench";
}
