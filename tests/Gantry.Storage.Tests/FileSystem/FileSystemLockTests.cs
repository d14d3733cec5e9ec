using System.Diagnostics;
using System.IO.Pipelines;
using Gantry.Oci;
using Gantry.Storage.FileSystem;

namespace Gantry.Storage.Tests.FileSystem;

/// <summary>The exclusive hold, against real other processes and against the renames of a commit.</summary>
public sealed class FileSystemLockTests(FileSystemFolder folder) : IClassFixture<FileSystemFolder>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Open_WhileAnotherProcessHoldsTheFile_IsNull()
    {
        var staging = folder.Connect().Staging;
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);

        using (var other = Flock(folder.PathOf("uploads", session), "echo held; read line"))
        {
            Assert.Equal("held", await other.StandardOutput.ReadLineAsync());
            Assert.Null(await staging.OpenAsync(session, _ => new(state), None));
            other.StandardInput.Close();
            await other.WaitForExitAsync();
        }

        await using var writer = await staging.OpenAsync(session, _ => new(state), None);
        Assert.NotNull(writer);
    }

    [Fact]
    public async Task Open_ExcludesOtherProcesses_UntilItIsDisposed_AcrossTheCommit()
    {
        var staging = folder.Connect().Staging;
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        var (staged, committed) = (folder.PathOf("uploads", session), folder.PathOf("blobs", session));
        await using (var writer = (await staging.OpenAsync(session, _ => new(state), None))!)
        {
            Assert.False(await TakesAsync(staged));
            await writer.CommitAsync(None);
            Assert.False(File.Exists(staged));
            Assert.False(await TakesAsync(committed));
        }

        Assert.True(await TakesAsync(committed));
    }

    /// <summary>The narrow half of the race below, held open: a commit runs between our open and our lock.</summary>
    [Fact]
    public async Task Lock_OfAFileThatWasCommittedSinceItsOpen_IsNotTakenForTheStaging()
    {
        var staging = folder.Connect().Staging;
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        var path = folder.PathOf("uploads", session);
        using var early = PosixFile.OpenForWriting(path)!;
        await using (var writer = (await staging.OpenAsync(session, _ => new(state), None))!)
        {
            Assert.Equal(FileSystemUploadStaging.Taking.Held, FileSystemUploadStaging.Lock(early, path));
            await writer.CommitAsync(None);
            Assert.Equal(FileSystemUploadStaging.Taking.Held, FileSystemUploadStaging.Lock(early, path));
        }

        Assert.Equal(FileSystemUploadStaging.Taking.Moved, FileSystemUploadStaging.Lock(early, path));
        Assert.Equal(FileSystemUploadStaging.Taking.Taken, FileSystemUploadStaging.Lock(early, folder.PathOf("blobs", session)));
    }

    [Fact]
    public async Task Open_RacingACommit_IsNullOrSealed_AndNeverCutsTheBlob()
    {
        var content = new byte[20_000];
        new Random(3).NextBytes(content);
        var store = folder.Connect();
        for (var round = 0; round < 100; round++)
        {
            var session = Guid.CreateVersion7();
            var created = await store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
            var writer = (await store.Staging.OpenAsync(session, _ => new(created), None))!;
            await writer.AppendAsync(PipeReader.Create(new MemoryStream(content)), None);

            var commit = Task.Run(async () =>
            {
                await writer.CommitAsync(None);
                await writer.DisposeAsync();
            });
            IStagingWriter? second;
            while ((second = await store.Staging.OpenAsync(session, _ => new(created), None)) is null)
            {
            }

            await using (second)
            {
                Assert.True(second.IsSealed);
                Assert.Equal(Digest.Of(content), await second.DigestAsync(DigestAlgorithm.Sha256, None));
            }

            await commit;
            Assert.Equal(content.Length, new FileInfo(folder.PathOf("blobs", session)).Length);
        }
    }

    /// <summary>A process being started has a copy of our handles for a moment, and must not keep the lock with it.</summary>
    [Fact]
    public async Task Open_AfterADispose_WhileOtherProcessesStart_IsNeverNull()
    {
        var staging = folder.Connect().Staging;
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        var starts = Task.Run(async () =>
        {
            for (var n = 0; n < 100; n++)
            {
                using var process = Process.Start("true");
                await process.WaitForExitAsync();
            }
        });

        while (!starts.IsCompleted)
        {
            await using var writer = await staging.OpenAsync(session, _ => new(state), None);
            Assert.NotNull(writer);
        }

        await starts;
    }

    [Fact]
    public async Task Open_OfAFileShorterThanAcknowledged_IsStagingLost()
    {
        var staging = folder.Connect().Staging;
        var session = Guid.CreateVersion7();
        var state = await staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        await File.WriteAllBytesAsync(folder.PathOf("uploads", session), new byte[9]);
        await Assert.ThrowsAsync<StagingLostException>(async () =>
            await staging.OpenAsync(session, _ => new(state with { Offset = 10 }), None));
    }

    [Fact]
    public async Task Read_OfABlobDeletedMeanwhile_GoesOn()
    {
        var store = folder.Connect();
        var session = Guid.CreateVersion7();
        var state = await store.Staging.CreateAsync(session, DigestAlgorithm.Sha256, None);
        var content = new byte[3_000_000];
        new Random(4).NextBytes(content);
        await using (var writer = (await store.Staging.OpenAsync(session, _ => new(state), None))!)
        {
            await writer.AppendAsync(PipeReader.Create(new MemoryStream(content)), None);
            await writer.CommitAsync(None);
        }

        await using var reader = (await store.Blobs.OpenAsync(FileSystemLayout.LocationOf(session), null, None))!;
        await store.Blobs.DeleteAsync(FileSystemLayout.LocationOf(session), None);
        using var read = new MemoryStream();
        var destination = PipeWriter.Create(read);
        await reader.CopyToAsync(destination, 0, reader.Length, None);
        await destination.CompleteAsync();
        Assert.Equal(content, read.ToArray());
    }

    private static async Task<bool> TakesAsync(string path)
    {
        using var process = Flock(path, "true");
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    /// <summary>util-linux's flock: a second process that knows nothing of ours.</summary>
    private static Process Flock(string path, string command) =>
        Process.Start(new ProcessStartInfo("flock", ["--exclusive", "--nonblock", path, "-c", command])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
}
