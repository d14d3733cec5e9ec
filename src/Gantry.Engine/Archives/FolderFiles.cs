namespace Gantry.Engine.Archives;

/// <summary>A layout in a folder of the caller's. Names are made of checked digests and of constants; any other is not there.</summary>
internal sealed class FolderFiles(string folder) : IArchiveFiles
{
    public Stream? Open(string name)
    {
        if (name.Split('/').Any(part => part is "" or "." or "..")) return null;
        try
        {
            return new FileStream(Path.Combine(folder, name), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (IOException fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new EngineException(EngineFault.Local, $"{Path.Combine(folder, name)} cannot be read", fault);
        }
    }

    public void Dispose()
    {
    }
}
