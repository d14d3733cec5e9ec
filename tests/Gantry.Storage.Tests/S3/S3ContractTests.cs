namespace Gantry.Storage.Tests.S3;

public sealed class S3BlobStoreTests(S3Folder folder) : BlobStoreContract, IClassFixture<S3Folder>
{
    protected override int ShardStep => 50;

    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}

[Trait("Speed", "Slow")]
public sealed class S3UploadStagingTests(S3Folder folder) : UploadStagingContract, IClassFixture<S3Folder>
{
    protected override bool HoldsUploads => false;

    protected override int PropertyRounds => 10;

    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}

/// <summary>The same where a few hundred kilobytes make parts and pieces of all kinds.</summary>
[Trait("Speed", "Slow")]
public sealed class S3SmallPartsStagingTests(SmallPartsFolder folder) : UploadStagingContract, IClassFixture<SmallPartsFolder>
{
    protected override bool HoldsUploads => false;

    protected override int PropertyRounds => 20;

    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}

[Collection(nameof(Alone))]
public sealed class S3UploadMemoryTests(S3Folder folder) : UploadMemoryContract, IClassFixture<S3Folder>
{
    // Four parts, and what the client has of them on their way.
    protected override long Bound => 80L * 1024 * 1024;

    protected override ValueTask<StorageConnection> ConnectAsync() => ValueTask.FromResult(folder.Connect());
}
