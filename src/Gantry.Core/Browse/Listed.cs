using Gantry.Oci;

namespace Gantry.Core.Browse;

/// <summary>A part of a listing.</summary>
/// <param name="Items">May be fewer than asked for, or none, where more follow: a search looks at so many rows a page and no more.</param>
/// <param name="Next">Where the next page begins, to be handed back as it is; null: this was the last.</param>
public sealed record Listed<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Places in listings come back from clients, and are what clients make of them.</summary>
internal static class Places
{
    /// <summary>Behind every name of a tag or a repository, as bytes are sorted.</summary>
    public const string BehindNames = "\u007f";

    public static OciException Invalid() => new(OciErrorCode.Unsupported, "that is no place in this listing", status: 400);
}
