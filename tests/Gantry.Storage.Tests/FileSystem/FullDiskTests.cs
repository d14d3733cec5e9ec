using System.Diagnostics;
using System.IO.Pipelines;
using Gantry.Oci;

namespace Gantry.Storage.Tests.FileSystem;

/// <summary>A real file system that runs full: a tmpfs of 2 MiB.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly FileSystemFolder _folder = new();

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root") Assert.Fail("mounting a small tmpfs takes root: run the tests as root");
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=2000", "gantry-full-disk", _folder.Root);
    }

    public async ValueTask DisposeAsync()
    {
        // Lazily: a process that another test is starting holds our handles until its exec.
        await RunAsync("umount", "--lazy", _folder.Root);
        _folder.Dispose();
    }

    [Fact]
    public async Task Append_OnAFullDisk_IsStorageFull_AndGoesOnOnceThereIsRoom()
    {
        var content = new byte[1_700_000];
        new Random(5).NextBytes(content);
        var ballast = Path.Combine(_folder.Root, "ballast");
        var store = _folder.Connect();
        await File.WriteAllBytesAsync(ballast, new byte[1_000_000]);

        var session = Guid.CreateVersion7();
        var state = await store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        await using (var writer = (await store.Staging.OpenAsync(session, _ => new(state), None))!)
        {
            await writer.AppendAsync(PipeReader.Create(new MemoryStream(content, 0, 100_000)), None);
            state = await writer.CheckpointAsync(None);

            await Assert.ThrowsAsync<StorageFullException>(async () =>
                await writer.AppendAsync(PipeReader.Create(new MemoryStream(content, 100_000, content.Length - 100_000)), None));

            // What was written whole before the disk ran full is kept, and is a prefix.
            var kept = await writer.CheckpointAsync(None);
            Assert.InRange(kept.Offset, 100_001, content.Length - 1);
            Assert.Equal(Digest.Of(content.AsSpan(0, (int)kept.Offset)), await writer.DigestAsync(DigestAlgorithm.Sha256, None));
            state = kept;
        }

        File.Delete(ballast);
        await using var resumed = (await store.Staging.OpenAsync(session, _ => new(state), None))!;
        await resumed.AppendAsync(
            PipeReader.Create(new MemoryStream(content, (int)state.Offset, content.Length - (int)state.Offset)), None);
        Assert.Equal(Digest.Of(content), await resumed.DigestAsync(DigestAlgorithm.Sha256, None));
        Assert.Equal(content, await store.ReadAsync(await resumed.CommitAsync(None)));
    }

    [Fact]
    public async Task Commit_AfterAFailedAppend_HoldsNoForeignTail()
    {
        var content = new byte[3_000_000];
        new Random(6).NextBytes(content);
        var store = _folder.Connect();
        await File.WriteAllBytesAsync(Path.Combine(_folder.Root, "ballast"), new byte[100_000]);
        var session = Guid.CreateVersion7();
        var state = await store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        await using var writer = (await store.Staging.OpenAsync(session, _ => new(state), None))!;
        await Assert.ThrowsAsync<StorageFullException>(async () =>
            await writer.AppendAsync(PipeReader.Create(new MemoryStream(content)), None));

        // The ballast makes the failed write a partial one: it filled the disk to the last page. Those bytes are not the
        // blob's and give their room back.
        Assert.Equal(writer.Offset, new FileInfo(_folder.PathOf("uploads", session)).Length);
        Assert.Equal(content[..(int)writer.Offset], await store.ReadAsync(await writer.CommitAsync(None)));
    }

    [Fact]
    public async Task CreateAndProbe_OnAFullDisk_AreStorageFull()
    {
        var store = _folder.Connect();
        await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(_folder.Root, "ballast"), new byte[3_000_000]));
        await Assert.ThrowsAsync<StorageFullException>(async () => await store.Blobs.ProbeAsync(None));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder.Root, "uploads")));

        await Assert.ThrowsAsync<StorageFullException>(async () =>
        {
            // Empty files take no pages of a tmpfs but an inode each.
            for (var n = 0; n < 3000; n++) await store.Staging.CreateAsync(Guid.CreateVersion7(), DigestAlgorithm.Sha256, None);
        });
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} failed: is this machine allowed to mount?");
    }
}
