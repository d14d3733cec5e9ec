using System.Text.Json;
using Gantry.Engine.Content;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Images;

/// <summary>
/// Names of images as files, <c>images/HOST/REPOSITORY/_tags/TAG</c> (<c>_digests/ALG-HEX</c> for what was pulled by digest): no component of a repository starts with
/// an underscore. A name is replaced as a whole, durably. Changes are made with the store's lock in hand.
/// </summary>
internal sealed class ImageNames(StoreLayout layout)
{
    private const string TemporarySuffix = ".new";

    public StoredImage? Find(ImageName name)
    {
        // An exception costs a small pull more than the question.
        var path = PathOf(name);
        if (!File.Exists(path)) return null;
        try
        {
            return Read(path);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public IReadOnlyList<StoredImage> List() => [.. Directory.EnumerateFiles(layout.Images, "*", SearchOption.AllDirectories)
        .Where(path => !Path.GetFileName(path).StartsWith('~')).Order(StringComparer.Ordinal).Select(Read)];

    public void Put(StoredImage image)
    {
        var path = PathOf(image.Name);
        var folder = Path.GetDirectoryName(path)!;
        var isNew = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);

        // Tags may end in .new; this one has a character that no tag has.
        var temporary = Path.Combine(layout.Images, $"~{Guid.NewGuid():N}{TemporarySuffix}");
        using (var file = StoreFile.OpenOrCreate(temporary))
        {
            RandomAccess.Write(file, JsonSerializer.SerializeToUtf8Bytes(StoredImageFile.Of(image), StoredImageJson.Default.StoredImageFile), 0);
            StoreFile.Sync(file, temporary);
        }

        Failpoint.Hit("name-written");
        StoreFile.Rename(temporary, path);
        StoreFile.SyncFolder(folder);
        for (var parent = folder; isNew && parent != layout.Images; StoreFile.SyncFolder(parent)) parent = Path.GetDirectoryName(parent)!;
        Failpoint.Hit("name-published");
    }

    public void Remove(ImageName name)
    {
        var path = PathOf(name);
        File.Delete(path);
        var folder = Path.GetDirectoryName(path)!;
        StoreFile.SyncFolder(folder);
        for (; folder != layout.Images && !Directory.EnumerateFileSystemEntries(folder).Any(); folder = Path.GetDirectoryName(folder)!) Directory.Delete(folder);
    }

    /// <summary>What a process that was killed between writing and renaming has left. To be called with the store's lock taken exclusively.</summary>
    public void RemoveLeftovers()
    {
        foreach (var path in Directory.EnumerateFiles(layout.Images, $"~*{TemporarySuffix}")) File.Delete(path);
    }

    private string PathOf(ImageName name) => Path.Combine([layout.Images, name.Host, .. name.Repository.ToString().Split('/'),
        .. name.Digest is { } digest ? new[] { "_digests", StoreLayout.NameOf(digest) } : ["_tags", name.Tag!.Value.ToString()]]);

    private static StoredImage Read(string path)
    {
        try
        {
            return (JsonSerializer.Deserialize(File.ReadAllBytes(path), StoredImageJson.Default.StoredImageFile) ?? throw new FormatException("null")).Read();
        }
        catch (Exception damaged) when (damaged is JsonException or FormatException or NullReferenceException)
        {
            throw new EngineException(EngineFault.Local, $"{path} cannot be read; remove it and pull the image again", damaged);
        }
    }
}
