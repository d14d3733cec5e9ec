namespace Gantry.Engine.Archives;

/// <summary>The files of an archive or a layout by their names, slashes between the parts. Which ones there are is the archive's word alone.</summary>
internal interface IArchiveFiles : IDisposable
{
    /// <summary>From the start, for one reader; several may be open at a time. Null where there is none.</summary>
    Stream? Open(string name);
}
