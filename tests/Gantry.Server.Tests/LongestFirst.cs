using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Gantry.Server.Tests.LongestFirst))]

namespace Gantry.Server.Tests;

/// <summary>What takes minutes begins first, beside everything else: begun last it would be waited for alone.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest = [nameof(Faults.RandomKillTests), nameof(Chaos.ChaosTests), nameof(Faults.FailpointTests), nameof(Scale.PagesRunTests)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.FindIndex(Longest, name => collection.TestCollectionDisplayName.Contains($".{name} ", StringComparison.Ordinal)) is var at and >= 0 ? at : Longest.Length)];
}
