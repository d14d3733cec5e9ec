using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

[Trait("Speed", "Slow")]
public sealed class AccessTokenLoginTests : IAsyncLifetime
{
    private AccessParts _parts = null!;

    private AccessTokenLogin Logins => _parts.Get<AccessTokenLogin>();

    public async ValueTask InitializeAsync()
    {
        _parts = await AccessParts.CreateAsync();
        await _parts.CreateAccountAsync("jane", "correct horse");
        await _parts.CreateAccountAsync("john", "john's horse");
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact]
    public async Task Login_WithATokenOfTheAccount_HoldsItsScopesAndItsEnd()
    {
        var expires = DateTimeOffset.UtcNow.AddYears(1);
        var text = await _parts.CreateAccessTokenAsync("jane", ["repository:acme/*:pull"], expires);

        foreach (var name in new[] { "jane", null })
        {
            var login = (await Logins.TryLoginAsync(name, text))!;
            Assert.Equal((await _parts.AccountAsync("jane"), LoginMethod.AccessToken), (login.Account, login.Method));
            Assert.Equal(["repository:acme/*:pull"], login.Limit.Scopes);
            Assert.Equal(expires, login.Expires!.Value, TimeSpan.FromMilliseconds(1));
            Assert.Equal(await _parts.ScalarAsync<long>("SELECT id FROM access_tokens"), login.AccessTokenId);
            Assert.Equal($"access token {login.AccessTokenId} (test)", login.Detail);
        }
    }

    [Fact]
    public async Task Login_WithTheWrongName_OrAnUnknownToken_ReturnsNull()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        Assert.Null(await Logins.TryLoginAsync("john", text));
        Assert.Null(await Logins.TryLoginAsync("", text));
        Assert.Null(await Logins.TryLoginAsync("JANE", text));
        Assert.Null(await Logins.TryLoginAsync("jane", AccessTokenText.Generate(AccountKind.Person)));
    }

    [Fact]
    public async Task Login_WithATypingError_CostsNoStatement()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        var before = _parts.Statements.Count;

        Assert.Null(await Logins.TryLoginAsync("jane", text[..^1] + (text[^1] == 'a' ? 'b' : 'a')));
        Assert.Null(await Logins.TryLoginAsync("jane", "gantry_pat_"));

        Assert.Equal(before, _parts.Statements.Count);
    }

    [Theory]
    [InlineData("UPDATE access_tokens SET expires_at = now() - interval '1 second'")]
    [InlineData("UPDATE accounts SET disabled_at = now()")]
    [InlineData("DELETE FROM access_tokens")]
    [InlineData("DELETE FROM accounts")]
    public async Task Login_EndsWithTheTokenAndItsAccount(string change)
    {
        var text = await _parts.CreateAccessTokenAsync("jane", expires: DateTimeOffset.UtcNow.AddDays(1));
        Assert.NotNull(await Logins.TryLoginAsync("jane", text));

        await _parts.ExecuteAsync(change);

        Assert.Null(await Logins.TryLoginAsync("jane", text));
    }

    [Fact]
    public async Task Database_HoldsNoToken_OnlyItsHash()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        Assert.Equal(AccessTokenText.HashOf(text), await _parts.ScalarAsync<byte[]>("SELECT hash FROM access_tokens"));
        foreach (var table in new[] { "access_tokens", "events", "access_changes", "accounts" })
            Assert.Equal(0, await _parts.ScalarAsync<long>($"SELECT count(*) FROM {table} t WHERE t::text LIKE '%{text}%'"));
    }

    [Fact]
    public async Task LastUse_IsWrittenForAllTogether_AndNotAtEachLogin()
    {
        var (one, two) = (await _parts.CreateAccessTokenAsync("jane"), await _parts.CreateAccessTokenAsync("john"));
        var before = await _parts.ScalarAsync<string>("SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM access_tokens");
        for (var i = 0; i < 20; i++)
        {
            await Logins.TryLoginAsync("jane", one);
            await Logins.TryLoginAsync("john", two);
            _parts.Time.Advance(TimeSpan.FromSeconds(1));
        }

        // No row was touched.
        Assert.Equal(before, await _parts.ScalarAsync<string>("SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM access_tokens"));
        Assert.Equal(2, await _parts.ScalarAsync<long>("SELECT count(*) FROM access_tokens WHERE last_used_at IS NULL"));

        var statements = _parts.Statements.Count;
        await Logins.WriteUseAsync(default);
        Assert.Equal(statements + 1, _parts.Statements.Count);
        var used = _parts.Time.GetUtcNow().UtcDateTime - TimeSpan.FromSeconds(1);
        Assert.Equal(used, await _parts.ScalarAsync<DateTime>("SELECT min(last_used_at) FROM access_tokens"));
        Assert.Equal(used, await _parts.ScalarAsync<DateTime>("SELECT max(last_used_at) FROM access_tokens"));

        await Logins.WriteUseAsync(default);
        Assert.Equal(statements + 1, _parts.Statements.Count); // nothing was used since
    }

    [Fact]
    public async Task LastUse_ThatAnotherNodeWroteLater_Stays()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        await using var node = _parts.AnotherNode();
        await Logins.TryLoginAsync("jane", text);
        _parts.Time.Advance(TimeSpan.FromSeconds(30));
        await node.Get<AccessTokenLogin>().TryLoginAsync("jane", text);

        await node.Get<AccessTokenLogin>().WriteUseAsync(default);
        await Logins.WriteUseAsync(default);

        Assert.Equal(_parts.Time.GetUtcNow().UtcDateTime, await _parts.ScalarAsync<DateTime>("SELECT last_used_at FROM access_tokens"));
    }

    [Fact]
    public async Task LastUse_OfATokenRevokedMeanwhile_IsForgotten()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        await Logins.TryLoginAsync("jane", text);
        await _parts.RevokeAccessTokenAsync("jane", text);

        await Logins.WriteUseAsync(default);
        var statements = _parts.Statements.Count;
        await Logins.WriteUseAsync(default);

        Assert.Equal(statements, _parts.Statements.Count);
    }

    [Fact]
    public async Task Logins_TakeATokenForAPassword_AndRecordItOnce()
    {
        var text = await _parts.CreateAccessTokenAsync("jane");
        var (logins, actor) = (_parts.Get<Logins>(), new Actor(null, "192.0.2.1", "r1", "docker/1"));
        for (var i = 0; i < 3; i++) Assert.NotNull(await logins.TryLoginAsync("jane", text, IPAddress.Parse("192.0.2.1"), actor));
        Assert.Null(await logins.TryLoginAsync("jane", AccessTokenText.Generate(AccountKind.Person), IPAddress.Loopback, actor));
        Assert.Null(await logins.TryLoginAsync("nobody", AccessTokenText.Generate(AccountKind.Person), IPAddress.Loopback, actor));

        Assert.Equal(
            $"login jane 192.0.2.1 docker/1 r1 access token {await _parts.ScalarAsync<long>("SELECT id FROM access_tokens")} (test)",
            await _parts.ScalarAsync<string>(
                "SELECT string_agg(concat_ws(' ', kind, account, address, client, request_id, detail), ';') FROM events WHERE kind = 'login'"));
        Assert.Equal("jane", await _parts.ScalarAsync<string>("SELECT string_agg(account, ' ') FROM events WHERE kind = 'login.failed'"));
    }
}
