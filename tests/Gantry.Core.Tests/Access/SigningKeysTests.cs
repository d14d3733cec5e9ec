using System.Security.Cryptography;
using Gantry.Core.Access;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class SigningKeysTests
{
    private static readonly string SomeKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private static readonly string OtherKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public async Task FirstKey_SignsAtOnce_AndIsSharedByAllNodes()
    {
        await using var parts = await AccessParts.CreateAsync();
        var token = await IssueAsync(parts);

        await using var other = parts.AnotherNode();
        Assert.NotNull(await other.Get<BearerTokens>().VerifyAsync(token));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM signing_keys"));
    }

    [Fact]
    public async Task OldKey_IsReplaced_AndItsTokensStayValid()
    {
        await using var parts = await AccessParts.CreateAsync();
        var old = await IssueAsync(parts);
        var oldId = await parts.ScalarAsync<string>("SELECT id FROM signing_keys");
        await AgeAsync(parts, "91 days");

        await parts.Get<SigningKeys>().RefreshAsync();
        Assert.Equal(2, (await parts.Get<SigningKeys>().PublicKeysAsync()).Count);
        Assert.Equal(oldId, (await parts.Get<SigningKeys>().SigningKeyAsync()).KeyId); // the new one settles first

        await parts.ExecuteAsync("UPDATE signing_keys SET created_at = created_at - interval '3 minutes'");
        parts.Time.Advance(TimeSpan.FromMinutes(1));
        await parts.Get<SigningKeys>().RefreshAsync();
        Assert.NotEqual(oldId, (await parts.Get<SigningKeys>().SigningKeyAsync()).KeyId);
        Assert.NotNull(await parts.Get<BearerTokens>().VerifyAsync(old));
        Assert.Equal(2L, await parts.ScalarAsync<long>("SELECT count(*) FROM signing_keys WHERE retired_at IS NULL"));
    }

    [Fact]
    public async Task KeyWhoseSuccessorOutlivedEveryToken_Retires_AndItsPrivatePartIsWiped()
    {
        await using var parts = await AccessParts.CreateAsync();
        await parts.Get<SigningKeys>().RefreshAsync();
        await AgeAsync(parts, "91 days");
        parts.Time.Advance(TimeSpan.FromMinutes(1));
        await parts.Get<SigningKeys>().RefreshAsync();

        await AgeAsync(parts, "29 days");
        parts.Time.Advance(TimeSpan.FromMinutes(1));
        await parts.Get<SigningKeys>().RefreshAsync();
        Assert.Equal(0L, await parts.ScalarAsync<long>("SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL"));

        await AgeAsync(parts, "2 days");
        parts.Time.Advance(TimeSpan.FromMinutes(1));
        await parts.Get<SigningKeys>().RefreshAsync();
        Assert.Equal(1L, await parts.ScalarAsync<long>(
            "SELECT count(*) FROM signing_keys WHERE retired_at IS NOT NULL AND length(private_key) = 0"));
        Assert.Single(await parts.Get<SigningKeys>().PublicKeysAsync());
    }

    [Fact]
    public async Task TokenOfAKeyMadeMeanwhileByAnotherNode_IsRead_ButUnknownIdsAskOnlyNowAndThen()
    {
        await using var parts = await AccessParts.CreateAsync();
        await using var other = parts.AnotherNode();
        await parts.Get<SigningKeys>().RefreshAsync();
        await parts.ExecuteAsync("UPDATE signing_keys SET retired_at = now()");
        var token = await IssueAsync(other);

        Assert.Null(await parts.Get<BearerTokens>().VerifyAsync(token));
        parts.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.NotNull(await parts.Get<BearerTokens>().VerifyAsync(token));
    }

    [Fact]
    public async Task Keys_AreEncryptedAtRest_WhenAKeyIsGiven()
    {
        await using var parts = await AccessParts.CreateAsync(("Access:KeyEncryptionKey", SomeKey));
        var token = await IssueAsync(parts);

        Assert.Equal("GK1"u8.ToArray(), (await parts.ScalarAsync<byte[]>("SELECT private_key FROM signing_keys"))[..3]);
        await using var same = parts.AnotherNode(("Access:KeyEncryptionKey", SomeKey));
        Assert.NotNull(await same.Get<BearerTokens>().VerifyAsync(token));
    }

    [Fact]
    public async Task PlainKeys_AreEncrypted_OnceAKeyIsGiven()
    {
        await using var parts = await AccessParts.CreateAsync();
        var token = await IssueAsync(parts);
        Assert.Equal(0x30, (await parts.ScalarAsync<byte[]>("SELECT private_key FROM signing_keys"))[0]);

        await using var later = parts.AnotherNode(("Access:KeyEncryptionKey", SomeKey));
        Assert.NotNull(await later.Get<BearerTokens>().VerifyAsync(token));
        Assert.Equal("GK1"u8.ToArray(), (await parts.ScalarAsync<byte[]>("SELECT private_key FROM signing_keys"))[..3]);
    }

    [Theory]
    [InlineData(true, "does not decrypt")]
    [InlineData(false, "is not set")]
    public async Task StartWithTheWrongKey_IsRefusedWithASentence(bool given, string words)
    {
        await using var parts = await AccessParts.CreateAsync(("Access:KeyEncryptionKey", SomeKey));
        await parts.Get<SigningKeys>().RefreshAsync();
        await AgeAsync(parts, "91 days"); // one that is due for rotation must not get a readable successor either

        await using var wrong = parts.AnotherNode(given ? [("Access:KeyEncryptionKey", OtherKey)] : []);
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => wrong.Get<AccessStartup>().RunAsync(TextWriter.Null));

        Assert.Contains(words, e.Message);
        Assert.Contains("Access:KeyEncryptionKey", e.Message);
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM signing_keys"));
        Assert.Equal(0L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts"));
    }

    [Fact]
    public async Task EncryptedBytes_MovedToAnotherRow_AreRefused()
    {
        await using var parts = await AccessParts.CreateAsync(("Access:KeyEncryptionKey", SomeKey));
        await parts.Get<SigningKeys>().RefreshAsync();
        await parts.ExecuteAsync("UPDATE signing_keys SET id = 'another'");

        await using var node = parts.AnotherNode(("Access:KeyEncryptionKey", SomeKey));
        await Assert.ThrowsAsync<OptionsValidationException>(() => node.Get<SigningKeys>().RefreshAsync());
    }

    [Fact]
    public async Task EncryptedBytes_CutShort_AreRefusedWithASentence()
    {
        await using var parts = await AccessParts.CreateAsync(("Access:KeyEncryptionKey", SomeKey));
        await parts.Get<SigningKeys>().RefreshAsync();
        await parts.ExecuteAsync("UPDATE signing_keys SET private_key = substring(private_key FROM 1 FOR 10)");

        await using var node = parts.AnotherNode(("Access:KeyEncryptionKey", SomeKey));
        await Assert.ThrowsAsync<OptionsValidationException>(() => node.Get<SigningKeys>().RefreshAsync());
    }

    private static async Task<string> IssueAsync(AccessParts parts) =>
        (await parts.Get<BearerTokens>().IssueAsync(null, new ScopeRequest())).Token.Text;

    private static Task AgeAsync(AccessParts parts, string by) =>
        parts.ExecuteAsync($"UPDATE signing_keys SET created_at = created_at - interval '{by}'");
}
