using System.Data.Common;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Core.Tests.Access;

/// <summary>The access rules on a database of their own, or (a second node) on another's.</summary>
internal sealed class AccessParts : IAccessRules, IAsyncDisposable
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
            .AddSingleton(database.DataSource)
            .AddDbContextFactory<RegistryDbContext>(options => options.UseNpgsql(database.DataSource).AddInterceptors(Statements))
            .AddAccessRules(configuration)
            .BuildServiceProvider();
    }

    public IServiceProvider Services => _services;

    public TestDatabase Database { get; }

    public ManualTime Time { get; }

    /// <summary>What this node sends to the database.</summary>
    public StatementCount Statements { get; } = new();

    public static async Task<AccessParts> CreateAsync(params (string Key, string Value)[] settings) =>
        new(await TestDatabase.CreateAsync(), owned: true, new ManualTime(), settings);

    /// <summary>Another node on the same database, with the same clock.</summary>
    public AccessParts AnotherNode(params (string Key, string Value)[] settings) =>
        new(Database, owned: false, Time, settings);

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    /// <summary>What an account that logged in has proven.</summary>
    public async Task<LoggedIn> LoginAsync(string name) => (await Get<Accounts>().FindRowAsync(AccountName.Parse(name), default))!.ToLogin();

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

/// <summary>Counts the statements of all contexts that it is added to.</summary>
internal sealed class StatementCount : DbCommandInterceptor
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        return new(result);
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        return new(result);
    }
}
