using Gantry.Oci;

namespace Gantry.Server.V2;

/// <summary>What a path under <c>/v2/</c> names.</summary>
internal enum V2Resource
{
    Base,
    Catalog,
    Manifest,
    Blob,
    Uploads,
    Upload,
    Tags,
    Referrers,
}

/// <summary>
/// A path under <c>/v2/</c>, taken apart from its end: repository names may hold the words <c>blobs</c>,
/// <c>manifests</c>, <c>tags</c>, <c>uploads</c> and <c>referrers</c> themselves, the last ones count.
/// </summary>
/// <param name="Resource">What is named.</param>
/// <param name="Name">The repository's name, unchecked; empty for <see cref="V2Resource.Base"/> and the catalog.</param>
/// <param name="Last">The last segment, unchecked: a reference, a digest or an upload's id.</param>
internal readonly record struct V2Path(V2Resource Resource, string Name, string Last)
{
    /// <param name="path">What follows <c>/v2</c>, decoded once. A <c>%2F</c> in it is still there, and is no slash.</param>
    public static bool TryParse(string path, out V2Path result)
    {
        result = path switch
        {
            "" or "/" => new V2Path(V2Resource.Base, "", ""),
            "/_catalog" => new V2Path(V2Resource.Catalog, "", ""),
            _ => default,
        };
        return result.Name is not null || TryParseRepositoryPath(path.AsSpan(1), out result);
    }

    private static bool TryParseRepositoryPath(ReadOnlySpan<char> path, out V2Path result)
    {
        var last = CutLast(ref path);
        var word = CutLast(ref path);
        result = (word, last) switch
        {
            ("manifests", _) => new V2Path(V2Resource.Manifest, path.ToString(), last),
            ("referrers", _) => new V2Path(V2Resource.Referrers, path.ToString(), last),
            ("tags", "list") => new V2Path(V2Resource.Tags, path.ToString(), ""),
            // "uploads" is no digest: it is the collection, asked for without its closing slash.
            ("blobs", "uploads") => new V2Path(V2Resource.Uploads, path.ToString(), ""),
            ("blobs", _) => new V2Path(V2Resource.Blob, path.ToString(), last),
            ("uploads", _) when CutLast(ref path) is "blobs" => last.Length == 0
                ? new V2Path(V2Resource.Uploads, path.ToString(), "")
                : new V2Path(V2Resource.Upload, path.ToString(), last),
            _ => default,
        };
        return !string.IsNullOrEmpty(result.Name)
            && (result.Last.Length > 0 || result.Resource is V2Resource.Tags or V2Resource.Uploads);
    }

    /// <summary>Takes the last segment off the path and returns it.</summary>
    private static string CutLast(ref ReadOnlySpan<char> path)
    {
        var slash = path.LastIndexOf('/');
        var last = path[(slash + 1)..].ToString();
        path = slash < 0 ? [] : path[..slash];
        return last;
    }
}
