using System.Text.RegularExpressions;
using Gantry.Engine;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Cli;

/// <summary>Images of the store as people call them: by name, or by the id that <c>images</c> shows, or the beginning of it.</summary>
internal static partial class LocalNames
{
    /// <summary>A name comes before an id. What is neither in the store is taken for a name.</summary>
    /// <exception cref="EngineException">Usage: no name, or the beginning of several ids.</exception>
    public static async Task<ImageName> OfAsync(ImageStore store, string word, CancellationToken ct)
    {
        if (ImageName.TryParse(word, out var name) && store.Find(name) is not null) return name;
        return await ByIdAsync(store, word, ct) is [var first, ..] ? first.Name : ImageName.Parse(word);
    }

    /// <summary>The names that one id has; none where it is not one.</summary>
    public static async Task<IReadOnlyList<StoredImage>> ByIdAsync(ImageStore store, string word, CancellationToken ct)
    {
        if (!Id().IsMatch(word)) return [];
        var hex = word[(word.IndexOf(':', StringComparison.Ordinal) + 1)..];
        var found = new List<(Digest Id, StoredImage Image)>();
        foreach (var image in store.List())
        {
            if (await IdAsync(store, image, ct) is { } id && id.Hex.StartsWith(hex, StringComparison.Ordinal)) found.Add((id, image));
        }

        return found.Select(each => each.Id).Distinct().Count() < 2 ? found.ConvertAll(each => each.Image)
            : throw new EngineException(EngineFault.Usage, $"several images have an id that begins with {hex}: write more of it");
    }

    /// <summary>The digest of its config, as docker has it. Null for what is no container image.</summary>
    public static async Task<Digest?> IdAsync(ImageStore store, StoredImage image, CancellationToken ct) =>
        image.IsUnpackable ? (await store.ReadManifestAsync(image, ct)).Config?.Digest : null;

    [GeneratedRegex(@"\A(?:sha256:)?[0-9a-f]{4,64}\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Id();
}
