namespace Gantry.Core.Data;

/// <summary>Section <c>Data</c>.</summary>
public sealed class DataOptions
{
    /// <summary>The folder that holds whatever has no place of its own in the configuration: blobs, a private PostgreSQL.</summary>
    public string Root { get; set; } = "data";
}
