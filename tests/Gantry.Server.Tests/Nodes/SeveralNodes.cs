namespace Gantry.Server.Tests.Nodes;

/// <summary>Tests of several server processes on one database: one at a time, beside those of <see cref="Faults.ProcessFaults"/>.</summary>
[CollectionDefinition(nameof(SeveralNodes))]
public sealed class SeveralNodes;
