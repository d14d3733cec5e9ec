using Gantry.TestKit;

[assembly: AssemblyFixture(typeof(PostgresCluster))]
