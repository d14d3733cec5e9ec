using Gantry.Core.Data;

namespace Gantry.Core.Tests.Data;

[Trait("Speed", "Slow")]
public sealed class LocalPostgresRefusalTests : LocalPostgresFixture
{
    [Fact]
    public async Task Start_WithoutBinaries_SaysWhatToInstallOrSet()
    {
        var message = await RefusalAsync(binaries: [Root]);
        Assert.Contains("apt-get install postgresql", message);
        Assert.Contains("ConnectionStrings:Registry", message);
        Assert.False(Directory.Exists(Cluster));
    }

    [Fact]
    public async Task Start_WithAStrayInitdbBeforeTheRealFolder_TakesTheRealOne()
    {
        var real = (await PostgresBinaries.FindAllAsync(null, CancellationToken.None))[0].Folder;
        var stray = Directory.CreateDirectory(Path.Combine(Root, "stray")).FullName;
        File.Copy(Path.Combine(real, "initdb"), Path.Combine(stray, "initdb"));
        var broken = Directory.CreateDirectory(Path.Combine(Root, "broken")).FullName;
        foreach (var name in new[] { "initdb", "postgres", "pg_ctl", "pg_controldata" })
        {
            await File.WriteAllTextAsync(Path.Combine(broken, name), "#!/bin/sh\nexit 1\n");
            File.SetUnixFileMode(Path.Combine(broken, name), (UnixFileMode)0b111_101_101);
        }

        var found = await PostgresBinaries.FindAllAsync([stray, broken, real], CancellationToken.None);

        Assert.Equal([real], found.Select(f => f.Folder));
    }

    [Fact]
    public async Task Start_OnAClusterOfAnOlderMajor_RefusesWithTheCommandThatUpgrades()
    {
        await MakeClusterOfAsync("12");
        var message = await RefusalAsync();
        Assert.Contains("PostgreSQL 12 made the database", message);
        Assert.Contains($"pg_upgrade -U gantry -b /usr/lib/postgresql/12/bin", message);
        Assert.Contains($"-d {Cluster} ", message);
        Assert.Equal("12", (await File.ReadAllTextAsync(Path.Combine(Cluster, "PG_VERSION"))).Trim());
    }

    [Fact]
    public async Task Start_OnAClusterOfANewerMajor_RefusesAndNamesThePackage()
    {
        await MakeClusterOfAsync("99");
        Assert.Contains("apt-get install postgresql-99", await RefusalAsync());
    }

    [Fact]
    public async Task Start_OnAFolderThatIsNoCluster_RefusesAndLeavesIt()
    {
        Directory.CreateDirectory(Cluster);
        await File.WriteAllTextAsync(Path.Combine(Cluster, "mine"), "keep");
        Assert.Contains("no PostgreSQL cluster", await RefusalAsync());
        Assert.True(File.Exists(Path.Combine(Cluster, "mine")));
    }

    [Fact]
    public async Task Start_OnAnEmptyClusterFolder_MakesTheCluster()
    {
        Directory.CreateDirectory(Cluster);
        await using var postgres = await StartAsync();
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task Start_OnADamagedCluster_SaysWhatPostgresSaid()
    {
        await (await StartAsync()).DisposeAsync();
        File.Delete(Path.Combine(Cluster, "global", "pg_control"));
        var message = await RefusalAsync();
        Assert.Contains("pg_control", message);
        Assert.Contains("postgres.log", message);
    }

    [Fact]
    public async Task Start_WhereTheDataFolderIsAFile_SaysSo()
    {
        await File.WriteAllTextAsync(DataRoot, "");
        Assert.Contains("Cannot use the data folder", await RefusalAsync());
    }

    [Fact]
    public async Task Start_AfterARefusal_HoldsNoLock()
    {
        await RefusalAsync(binaries: [Root]);
        await using var postgres = await StartAsync();
        Assert.Equal(1, await AskAsync<int>(postgres, "SELECT 1"));
    }

    private async Task MakeClusterOfAsync(string major)
    {
        await (await StartAsync()).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(Cluster, "PG_VERSION"), major + "\n");
    }
}
