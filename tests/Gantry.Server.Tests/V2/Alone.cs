namespace Gantry.Server.Tests.V2;

/// <summary>Tests that nothing may run beside: they measure the memory of the process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
