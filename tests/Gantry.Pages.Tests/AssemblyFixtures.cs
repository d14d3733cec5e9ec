using Gantry.Pages.Tests;
using Gantry.TestKit;

[assembly: AssemblyFixture(typeof(PostgresCluster))]
// One browser at a time: two would only wait for each other, and some tests change what others look at.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Gantry.Pages.Tests;

/// <summary>A collection's fixture is gone before an assembly's: the server stops before its PostgreSQL does.</summary>
[CollectionDefinition]
public sealed class ShowcaseCollection : ICollectionFixture<Showcase>;
