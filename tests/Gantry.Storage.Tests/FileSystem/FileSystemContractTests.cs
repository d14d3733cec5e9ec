namespace Gantry.Storage.Tests.FileSystem;

public sealed class FileSystemBlobStoreTests(FileSystemFolder folder) : BlobStoreContract, IClassFixture<FileSystemFolder>
{
    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}

public sealed class FileSystemUploadStagingTests(FileSystemFolder folder) : UploadStagingContract, IClassFixture<FileSystemFolder>
{
    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}

[Collection(nameof(Alone))]
public sealed class FileSystemUploadMemoryTests(FileSystemFolder folder) : UploadMemoryContract, IClassFixture<FileSystemFolder>
{
    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}
