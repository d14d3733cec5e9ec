namespace Gantry.Cli.Tests.Kit;

/// <summary>Classes that share one registry. It ends before the database does, which is the assembly's.</summary>
[CollectionDefinition(Name)]
public sealed class BenchCollection : ICollectionFixture<Bench>
{
    public const string Name = "bench";
}

/// <summary>Those that run containers have another one: so they run beside the others.</summary>
[CollectionDefinition(Name)]
public sealed class ContainersCollection : ICollectionFixture<Bench>
{
    public const string Name = "containers";
}
