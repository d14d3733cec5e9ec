using Gantry.Oci;
using Gantry.Storage.FileSystem;

namespace Gantry.Storage.Tests.FileSystem;

public sealed class FileSystemLayoutTests(FileSystemFolder folder) : IClassFixture<FileSystemFolder>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void Prepare_MakesEveryFolder_AndMayBeRepeated()
    {
        folder.Connect();
        folder.Connect();
        foreach (var kind in (string[])["uploads", "blobs"])
            Assert.Equal(256, Directory.GetDirectories(Path.Combine(folder.Root, kind)).Length);
    }

    [Fact]
    public void Prepare_WithoutARoot_SaysSo() =>
        Assert.Throws<ArgumentException>(() => FileSystemLayout.Prepare(new FileSystemOptions()));

    [Fact]
    public void Prepare_RemovesTheProbeOfAKilledProcess()
    {
        folder.Connect();
        var probe = Path.Combine(folder.Root, "uploads", ".probe-left");
        File.WriteAllText(probe, "");
        folder.Connect();
        Assert.False(File.Exists(probe));
    }

    [Fact]
    public void Location_IsAFunctionOfTheSession()
    {
        var session = Guid.Parse("0193b5a2-7c1e-7d3f-8a4b-5c6d7e8f9aBc");
        Assert.Equal("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc", FileSystemLayout.LocationOf(session).Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("blobs/bc/../../../etc/passwd")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abd")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9ABC")]
    [InlineData("blobs/BC/0193b5a27c1e7d3f8a4b5c6d7e8f9abc")]
    [InlineData("uploads/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc/")]
    [InlineData("blobs//bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc")]
    [InlineData("blobs/bc/../bc/3b5a27c1e7d3f8a4b5c6d7e8f9abc")]
    public async Task Rejects_LocationsOfAnotherShape(string? value)
    {
        var (blobs, location) = (folder.Connect().Blobs, new BlobLocation(value!));
        await Assert.ThrowsAsync<ArgumentException>(async () => await blobs.StatAsync(location, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await blobs.OpenAsync(location, null, None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await blobs.DeleteAsync(location, None));
    }

    [Fact]
    public async Task Probe_LeavesNothing()
    {
        await folder.Connect().Blobs.ProbeAsync(None);
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Root, "uploads")));
    }

    /// <summary>As where a volume is not mounted: out of reach is not the same as absent.</summary>
    [Fact]
    public async Task EverythingFails_WhereTheFoldersAreGone()
    {
        using var gone = new FileSystemFolder();
        var store = gone.Connect();
        var session = Guid.CreateVersion7();
        var location = FileSystemLayout.LocationOf(session);
        var state = new StagingState(0, DigestAlgorithm.Sha256, null, null);
        Directory.Delete(Path.Combine(gone.Root, "uploads"), recursive: true);
        Directory.Delete(Path.Combine(gone.Root, "blobs"), recursive: true);

        await Fails(async () => await store.Blobs.ProbeAsync(None));
        await Fails(async () => await store.Blobs.StatAsync(location, None));
        await Fails(async () => await store.Blobs.OpenAsync(location, null, None));
        await Fails(async () => await store.Blobs.DeleteAsync(location, None));
        await Fails(async () => await store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None));
        await Fails(async () => await store.Staging.OpenAsync(session, _ => new(state), None));
        await Fails(async () => await store.Staging.DiscardAsync(session, Leftovers.Everything, None));

        static async Task Fails(Func<Task> act) => await Assert.ThrowsAsync<IOException>(act);
    }
}
