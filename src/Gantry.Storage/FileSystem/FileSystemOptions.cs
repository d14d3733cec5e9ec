namespace Gantry.Storage.FileSystem;

/// <summary>The filesystem backend's settings (<c>Storage:FileSystem</c>).</summary>
public sealed class FileSystemOptions
{
    /// <summary>
    /// The folder that holds everything; made where it is missing. One filesystem, local or one whose <c>flock</c>
    /// reaches every node that shares it. Required: the server fills it from <c>Data:Root</c> where it is not set.
    /// </summary>
    public string Root { get; set; } = "";
}
