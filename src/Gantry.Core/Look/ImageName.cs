using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>An image as somebody names it who may read the repository.</summary>
/// <param name="Repository">Through whose links it is read.</param>
/// <param name="Reference">A tag or digest of an image, not of an index.</param>
public readonly record struct ImageName(RepositoryName Repository, Reference Reference);
