using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Benchmarks.Pulls;

/// <summary>
/// A file system of its own (ext4 in a sparse file), mounted at <see cref="Folder"/>. ext4 does not use an inode again for a minute after its file was deleted, and looks at each of those whenever
/// it makes one: whoever pulls right after another one's store was removed would pay for that, six times the rest with 40,000 files.
/// </summary>
internal sealed class ScratchDisk : IAsyncDisposable
{
    // Sparse: it takes what is written.
    private const string Size = "16G", Inodes = "150000";

    private readonly string _image;

    private ScratchDisk(string folder) => (Folder, _image) = (folder, $"{folder}.img");

    public string Folder { get; }

    public static async Task<ScratchDisk> MakeAsync(string folder)
    {
        var disk = new ScratchDisk(folder);
        Directory.CreateDirectory(folder);
        await disk.MountAsync();
        return disk;
    }

    public string At(string path) => Path.Combine(Folder, path);

    /// <summary>Empty again, and as new.</summary>
    public async Task RenewAsync()
    {
        await DisposeAsync();
        await MountAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await new Command("umount").RunAsync("--recursive", Folder);
        File.Delete(_image);
    }

    private async Task MountAsync()
    {
        await new Command("truncate").RunAsync("--size", Size, _image);
        // Nothing is left for a thread of the kernel to do later.
        await new Command("mkfs.ext4").RunAsync("-q", "-N", Inodes, "-E", "lazy_itable_init=0,lazy_journal_init=0", "-J", "size=64", _image);
        await new Command("mount").RunAsync("-o", "loop,discard", _image, Folder);
    }
}
