using System.Security.Cryptography;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.TestKit;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Core.Tests.Access;

/// <summary>Nodes of one database read each other's cookies.</summary>
public sealed class ProtectionKeysTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nodes_ThatStartAtOnce_ShareOneKey(bool encrypted)
    {
        await using var database = await TestDatabase.CreateAsync();
        var secret = encrypted ? Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) : "";
        var nodes = Enumerable.Range(0, 4).Select(_ => Node(database, secret)).ToList();
        await Task.WhenAll(nodes.Select(PrepareAsync));

        var text = nodes[0].GetDataProtector("test").Protect("sealed");
        Assert.All(nodes, node => Assert.Equal("sealed", node.GetDataProtector("test").Unprotect(text)));
        await using var command = database.DataSource.CreateCommand("SELECT count(*), bool_or(xml LIKE '%masterKey%') FROM data_protection_keys");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal((1L, false), (reader.GetInt64(0), reader.GetBoolean(1)));
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Fact]
    public async Task AKeyOfAnotherRow_DoesNotStandInForIt()
    {
        await using var database = await TestDatabase.CreateAsync();
        var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await using (var node = Node(database, secret)) await PrepareAsync(node);

        // The bytes stay, the id that they were encrypted for changes.
        await using (var command = database.DataSource.CreateCommand(
            "UPDATE data_protection_keys SET xml = replace(xml, 'id=\"data-protection:', 'id=\"data-protection:0')"))
            Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));

        await using var later = Node(database, secret);
        var key = Assert.Single(later.GetRequiredService<IKeyManager>().GetAllKeys());
        Assert.ThrowsAny<Exception>(() => key.Descriptor);
    }

    private static Task PrepareAsync(ServiceProvider node) => node.GetRequiredService<ProtectionKeys>().PrepareAsync(
        node.GetRequiredService<IKeyManager>(), TestContext.Current.CancellationToken);

    private static ServiceProvider Node(TestDatabase database, string secret) =>
        new ServiceCollection()
            .AddLogging()
            .AddDbContextFactory<RegistryDbContext>(options => options.UseNpgsql(database.DataSource))
            .AddAccessRules(new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["Access:KeyEncryptionKey"] = secret }).Build())
            .AddSharedDataProtection()
            .BuildServiceProvider();
}
