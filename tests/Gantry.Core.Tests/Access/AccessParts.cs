using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Core.Tests.Access;

/// <summary>The access rules on a database of their own, or (a second node) on another's.</summary>
internal sealed class AccessParts : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly TestDatabase? _owned;

    private AccessParts(TestDatabase database, bool owned, ManualTime time, (string Key, string Value)[] settings)
    {
        Database = database;
        Time = time;
        _owned = owned ? database : null;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Access:PasswordHashIterations"] = "100000" })
            .AddInMemoryCollection(settings.ToDictionary(pair => pair.Key, pair => (string?)pair.Value))
            .Build();
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(time)
            .AddDbContextFactory<RegistryDbContext>(options => options.UseNpgsql(database.DataSource))
            .AddAccessRules(configuration)
            .BuildServiceProvider();
    }

    public TestDatabase Database { get; }

    public ManualTime Time { get; }

    public static async Task<AccessParts> CreateAsync(params (string Key, string Value)[] settings) =>
        new(await TestDatabase.CreateAsync(), owned: true, new ManualTime(), settings);

    /// <summary>Another node on the same database, with the same clock.</summary>
    public AccessParts AnotherNode(params (string Key, string Value)[] settings) =>
        new(Database, owned: false, Time, settings);

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task<Account> CreateAccountAsync(string name, string password, bool isAdministrator = false)
    {
        Assert.True(await Get<Accounts>().CreateAsync(AccountName.Parse(name), password, isAdministrator));
        return new Account(AccountName.Parse(name), isAdministrator);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
#pragma warning disable CA2100 // statements of the tests
        await using var command = Database.DataSource.CreateCommand(sql);
#pragma warning restore CA2100
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public Task ExecuteAsync(string sql) => ScalarAsync<object?>($"WITH changed AS ({sql} RETURNING 1) SELECT count(*) FROM changed");

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_owned is not null) await _owned.DisposeAsync();
    }
}
