using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Keyless;

[Trait("Speed", "Slow")]
public sealed class TrustsTests : IAsyncLifetime
{
    private static readonly AccountName Robot = AccountName.Parse(KeylessRegistry.Robot);

    private KeylessRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await KeylessRegistry.StartAsync();

    public async ValueTask DisposeAsync() => await _registry.DisposeAsync();

    [Fact]
    public async Task Trust_IsListed_ByItsAccountAndItsNamespace_AndRemovedOnce()
    {
        await _registry.Server.AddNamespaceAsync("acme.eu");
        await _registry.Server.CreateRobotAsync("acme.eu", "ci");
        var elsewhere = await _registry.TrustAsync("ci", "robot.acme.eu.ci", "*", ("sub", "x"));
        var trust = await _registry.TrustAsync("ci", KeylessRegistry.Robot, "repository:acme/*:pull api:*", ("repository", "acme/*"), ("ref", "refs/heads/main"));

        var listed = Assert.Single(await _registry.Trusts.ListAsync(Robot, default));
        Assert.Equal((trust.Id, Robot, "ci"), (listed.Id, listed.Account, listed.Issuer));
        Assert.Equal("ref=refs/heads/main repository=acme/*", listed.Claims.ToString());
        Assert.Equal(["repository:acme/*:pull", "api:*"], listed.Scopes);
        Assert.Equal([trust.Id], (await _registry.Trusts.ListOfNamespaceAsync("acme", default)).Select(one => one.Id));

        Assert.False(await _registry.Trusts.RemoveAsync(Robot, elsewhere.Id, Actor.Console, default));
        Assert.True(await _registry.Trusts.RemoveAsync(Robot, trust.Id, Actor.Console, default));
        Assert.False(await _registry.Trusts.RemoveAsync(Robot, trust.Id, Actor.Console, default));
        Assert.Empty(await _registry.Trusts.ListAsync(Robot, default));
        Assert.Equal(
            $"""
             trust.add|robot.acme.eu.ci|ci: sub=x; *
             trust.add|{KeylessRegistry.Robot}|ci: ref=refs/heads/main repository=acme/*; repository:acme/*:pull api:*
             trust.remove|{KeylessRegistry.Robot}|trust {trust.Id}, ci: ref=refs/heads/main repository=acme/*
             """,
            await ScalarAsync<string>("SELECT string_agg(kind || '|' || subject || '|' || detail, E'\\n' ORDER BY id) FROM events WHERE kind LIKE 'trust.%'"));
    }

    [Fact]
    public async Task Add_ForAnIssuerThatIsNotConfigured_NamesThoseThatAre()
    {
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => _registry.TrustAsync("github", KeylessRegistry.Robot, "*", ("sub", "x")));
        Assert.Contains("configured: ci, other", refused.Message);
    }

    [Fact]
    public async Task Add_ForAnAccountThatIsNotThere_AddsNothing()
    {
        Assert.True(ClaimRules.TryParse(new Dictionary<string, string> { ["sub"] = "x" }, out var claims, out _));
        var limit = AccessLimit.Everything;
        Assert.Null(await _registry.Trusts.AddAsync(AccountName.Parse("nobody"), "ci", claims, limit, Actor.Console, default));
        Assert.Equal(0L, await ScalarAsync<long>("SELECT count(*) FROM events WHERE kind = 'trust.add'"));
    }

    [Theory]
    [InlineData(Trusts.MaxPerAccount, KeylessRegistry.Robot)]
    [InlineData(Trusts.MaxPerIssuer, "admin")]
    public async Task Add_BeyondTheMostThereMayBe_IsRefused(int most, string account)
    {
        await ScalarAsync<long>(
            $$"""
             WITH made AS (
                 INSERT INTO trusts (account_id, issuer, claims, scopes)
                 SELECT id, 'ci', '{"sub": "y"}', ARRAY['*'] FROM accounts, generate_series(1, {{most - 1}})
                 WHERE name = '{{KeylessRegistry.Robot}}' RETURNING 1)
             SELECT count(*) FROM made
             """);
        await _registry.TrustAsync("ci", account, "*", ("sub", "x"));

        var refused = await Assert.ThrowsAsync<OciException>(() => _registry.TrustAsync("ci", account, "*", ("sub", "x")));

        Assert.Equal(409, refused.Status);
        // The last one is still looked at.
        var login = await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Issuer.Token(("sub", "x"))));
        Assert.Equal(System.Net.HttpStatusCode.OK, login.Status);
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_registry.Server.ConnectionString);
#pragma warning disable CA2100 // statements of the tests
        await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
