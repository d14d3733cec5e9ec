using Gantry.Storage.FileSystem;

namespace Gantry.Storage.Tests.FileSystem;

/// <summary>A root of its own, on the disk of the temp folder.</summary>
public sealed class FileSystemFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("gantry-storage-").FullName;

    public StorageConnection Connect()
    {
        var layout = FileSystemLayout.Prepare(new FileSystemOptions { Root = Root });
        return new StorageConnection(new FileSystemUploadStaging(layout), new FileSystemBlobStore(layout));
    }

    public string PathOf(string kind, Guid session) => Path.Combine(Root, kind, $"{session:N}"[^2..], $"{session:N}");

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
