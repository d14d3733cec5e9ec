using Gantry.Core.GarbageCollection;

namespace Gantry.Core.Tests.GarbageCollection;

public sealed class GcPreviewTests
{
    [Fact]
    public async Task Count_NamesTheFirstOfAKind_AndCountsTheRest()
    {
        await using var registry = await CollectedRegistry.CreateAsync();
        foreach (var content in new[] { "one", "three", "four" }) await registry.PushBlobAsync("team/app", content);
        Assert.Empty(await registry.Get<GcPreview>().CountAsync(2, default));
        await registry.AgeAsync();

        var found = await registry.Get<GcPreview>().CountAsync(2, default);

        Assert.Equal(["link", "blob"], found.Select(kind => kind.Kind));
        Assert.Equal((3L, 12L, 2), (found[1].Count, found[1].Bytes, found[1].Names.Count));
    }
}
