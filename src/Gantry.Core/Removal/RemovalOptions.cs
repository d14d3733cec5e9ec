namespace Gantry.Core.Removal;

/// <summary>Section <c>Removal</c>.</summary>
public sealed class RemovalOptions
{
    /// <summary>Whether <c>DELETE</c> of tags, manifests and blobs is taken; otherwise it answers 405 to everybody.</summary>
    public bool Enabled { get; set; } = true;
}
