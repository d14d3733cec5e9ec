using Gantry.Core.Browse;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;

namespace Gantry.Core.Tests.Browse;

public sealed class ReadmesTests
{
    private static readonly RepositoryName App = RepositoryName.Parse("app");

    [Fact]
    public async Task Write_OfTheFirstByTwoAtOnce_ShowsTheSecondWhatTheFirstWrote()
    {
        await using var registry = await CollectedRegistry.CreateAsync();
        await registry.PushBlobAsync("app", "a repository");
        var readmes = registry.Get<Readmes>();
        var committing = registry.Pauses.BeforeCommit();
        var first = Task.Run(() => readmes.WriteAsync(App, "first", CollectedRegistry.Nobody, default, readme => Assert.Null(readme)));
        await committing.Reached;
        Readme? seen = null;
        var second = Task.Run(() => readmes.WriteAsync(App, "second", CollectedRegistry.Nobody, default, readme => seen = readme));
        await registry.WaitersAsync(1);
        // A push does not wait for a README.
        await registry.PushImageAsync("app", "v1", "layer");
        committing.Release();

        Assert.True(await first);
        Assert.True(await second);
        Assert.Equal("first", seen?.Markdown);
        Assert.Equal("second", (await readmes.FindAsync(App, default))!.Markdown);
    }
}
