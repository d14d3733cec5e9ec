namespace Gantry.Storage.Tests;

/// <summary>Tests that nothing may run beside.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
