using Gantry.Core.Data;

namespace Gantry.Core.Tests.Data;

public sealed class PostgresLogFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gantry-log-").FullName;

    private string LogPath => Path.Combine(folder, "postgres.log");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Bound_OverTheLimit_KeepsOneOlderFile()
    {
        await using var writer = new FileStream(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        var log = new PostgresLogFile(LogPath);
        for (var round = 0; round < 3; round++)
        {
            await writer.WriteAsync(new byte[2000]);
            await writer.FlushAsync();
            log.Bound(limitBytes: 1000);
            Assert.Equal(0, log.Length);
            Assert.True(new FileInfo(LogPath + ".1").Length >= 2000);
        }
    }

    [Fact]
    public void Bound_UnderTheLimit_LeavesTheFile()
    {
        File.WriteAllText(LogPath, "few");
        new PostgresLogFile(LogPath).Bound(limitBytes: 1000);
        Assert.Equal("few", File.ReadAllText(LogPath));
        Assert.False(File.Exists(LogPath + ".1"));
    }

    [Fact]
    public void Explain_TakesTheTellingLinesOfThisStartAlone()
    {
        File.WriteAllText(LogPath, "FATAL:  of yesterday\n");
        var log = new PostgresLogFile(LogPath);
        var since = log.Length;
        File.AppendAllText(LogPath, "LOG:  starting\nFATAL:  could not write: No space left on device\nHINT:  make room\nLOG:  down\n");
        Assert.Equal("FATAL:  could not write: No space left on device | HINT:  make room", log.Explain(since));
    }

    [Fact]
    public void Explain_WithoutAFile_IsEmpty() => Assert.Equal("", new PostgresLogFile(LogPath).Explain(0));
}
