namespace Gantry.Core.GarbageCollection;

/// <summary>What one batch did.</summary>
/// <param name="Looked">Rows, or things in the store, that were looked at.</param>
/// <param name="Settled">Those that will not be looked at again at once: gone, found in use, or not due yet.</param>
/// <param name="Gone">Those that were removed.</param>
/// <param name="Bytes">That the removed ones had in the store.</param>
public readonly record struct Reviewed(int Looked, int Settled, int Gone, long Bytes = 0)
{
    /// <summary>Whether another batch would find something to do. What a push holds now is left to a later run.</summary>
    internal bool GoOn => Settled > 0;

    public static Reviewed operator +(Reviewed left, Reviewed right) => Add(left, right);

    public static Reviewed Add(Reviewed left, Reviewed right) => new(
        left.Looked + right.Looked, left.Settled + right.Settled, left.Gone + right.Gone, left.Bytes + right.Bytes);
}

/// <summary>A row that a review has locked.</summary>
internal sealed record Claimed(long Repository, string Digest);

internal static class Claims
{
    /// <summary>As two arrays, for <c>unnest</c>.</summary>
    public static (long[] Repositories, string[] Digests) Columns(this List<Claimed> claims) =>
        ([.. claims.Select(claim => claim.Repository)], [.. claims.Select(claim => claim.Digest)]);
}
