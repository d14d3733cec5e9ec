using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Tests.Access;

public sealed class BearerTokensTests : IAsyncLifetime
{
    private static readonly RepositoryName Repository = RepositoryName.Parse("a/b");

    private AccessParts _parts = null!;
    private LoggedIn _jane = null!;

    private BearerTokens Tokens => _parts.Get<BearerTokens>();

    // jane is a writer of the namespace a.
    public async ValueTask InitializeAsync()
    {
        _parts = await AccessParts.CreateAsync();
        await _parts.CreateAccountAsync("jane", "correct horse");
        await _parts.AddNamespaceAsync("a");
        await _parts.SetRoleAsync("a", "jane", NamespaceRole.Writer);
        _jane = await _parts.LoginAsync("jane");
    }

    public async ValueTask DisposeAsync() => await _parts.DisposeAsync();

    [Fact]
    public async Task Token_SaysWhatDockersSpecificationWants()
    {
        var token = await IssueAsync("repository:a/b:pull,delete registry:catalog:*");

        var header = PartOf(token, 0);
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal("JWT", header.GetProperty("typ").GetString());
        Assert.Equal(await _parts.ScalarAsync<string>("SELECT id FROM signing_keys"), header.GetProperty("kid").GetString());

        var claims = PartOf(token, 1);
        var now = _parts.Time.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal("gantry", claims.GetProperty("iss").GetString());
        Assert.Equal("gantry", claims.GetProperty("aud").GetString());
        Assert.Equal("jane", claims.GetProperty("sub").GetString());
        Assert.Equal(now, claims.GetProperty("iat").GetInt64());
        Assert.Equal(now, claims.GetProperty("nbf").GetInt64());
        Assert.Equal(now + 300, claims.GetProperty("exp").GetInt64());
        Assert.NotEqual("", claims.GetProperty("jti").GetString());
        Assert.Equal(
            """[{"type":"registry","name":"catalog","actions":["*"]},{"type":"repository","name":"a/b","actions":["pull"]}]""",
            claims.GetProperty("access").GetRawText());
    }

    [Fact]
    public async Task Token_HoldsWhatWasGranted_AndNoMore()
    {
        var caller = await Tokens.VerifyAsync(await IssueAsync("repository:a/b:pull"));

        Assert.Equal("jane", caller!.Account);
        var other = RepositoryName.Parse("a/c");
        Assert.True(await caller.MayAsync(RepositoryActions.Pull, Repository));
        Assert.False(await caller.MayAsync(RepositoryActions.Push, Repository));
        Assert.False(await caller.MayAsync(RepositoryActions.Pull, other));
        Assert.True(await (await caller.ReachAsync()).Decider.MayAsync(RepositoryActions.Pull, other));
        Assert.False(caller.MayListCatalog);
    }

    [Fact]
    [Trait("Protocol", "D1.14")]
    public async Task Token_IsValidFromAMinuteBeforeToAMinuteAfterItsTime()
    {
        await _parts.Get<SigningKeys>().RefreshAsync();
        var token = await IssueAsync("repository:a/b:pull");
        await using var fresh = _parts.AnotherNode(); // nothing remembered

        _parts.Time.Advance(TimeSpan.FromSeconds(-60));
        Assert.NotNull(await fresh.Get<BearerTokens>().VerifyAsync(token));
        await using var earlier = _parts.AnotherNode();
        _parts.Time.Advance(TimeSpan.FromSeconds(-1));
        Assert.Null(await earlier.Get<BearerTokens>().VerifyAsync(token));

        _parts.Time.Advance(TimeSpan.FromSeconds(61 + 300 + 59));
        Assert.NotNull(await Tokens.VerifyAsync(token));
        await using var later = _parts.AnotherNode();
        _parts.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await later.Get<BearerTokens>().VerifyAsync(token));
        Assert.Null(await Tokens.VerifyAsync(token)); // remembered as valid, and yet
    }

    [Fact]
    public async Task Token_ForMoreRepositoriesThanFit_GrantsTheFirstOnes_AndCanBeRead()
    {
        var scopes = string.Join(' ', Enumerable.Range(0, 256).Select(i => $"repository:a/r{i}-{new string('x', 100)}:pull"));

        var token = await IssueAsync(scopes);

        Assert.InRange(token.Length, 4096, SignedTokens.MaxLength);
        var caller = await Tokens.VerifyAsync(token);
        Assert.True(await caller!.MayAsync(RepositoryActions.Pull, RepositoryName.Parse($"a/r0-{new string('x', 100)}")));
        Assert.False(await caller.MayAsync(RepositoryActions.Pull, RepositoryName.Parse($"a/r255-{new string('x', 100)}")));
    }

    [Fact]
    public async Task AnonymousToken_EndsWithAnonymousAccess()
    {
        await _parts.AddNamespaceAsync("a", Visibility.Public);
        var token = (await Tokens.IssueAsync(null, ScopeRequest.Parse(["repository:a/b:pull,push"])!)).Token.Text;

        var caller = await Tokens.VerifyAsync(token);
        Assert.Null(caller!.Account);
        Assert.Equal(RepositoryActions.Pull, (await caller.DecideAsync(Repository)).Granted);
        await using var closed = _parts.AnotherNode(("Access:Anonymous", "None"));
        Assert.Null(await closed.Get<BearerTokens>().VerifyAsync(token));
    }

    [Fact]
    public async Task Rejects_TokensWithAnotherAlgorithm()
    {
        var genuine = await IssueAsync("repository:a/b:pull");
        var (kid, claims) = (KidOf(genuine), genuine.Split('.')[1]);
        var publicKey = (await _parts.Get<SigningKeys>().SigningKeyAsync()).ECDsa.ExportSubjectPublicKeyInfo();

        foreach (var algorithm in new[] { "none", "None", "NONE", "", "es256", "ES384", "RS256", "PS256" })
        {
            var header = Encode($$"""{"alg":"{{algorithm}}","typ":"JWT","kid":"{{kid}}"}""");
            Assert.Null(await Tokens.VerifyAsync($"{header}.{claims}."));
            Assert.Null(await Tokens.VerifyAsync($"{header}.{claims}.{genuine.Split('.')[2]}"));
        }

        // The public key is public: as the secret of an HMAC it must be worth nothing.
        var pem = PemEncoding.WriteString("PUBLIC KEY", publicKey);
        foreach (var secret in new[] { publicKey, Encoding.ASCII.GetBytes(pem), Encoding.ASCII.GetBytes(pem + "\n") })
        {
            var text = $"{Encode($$"""{"alg":"HS256","typ":"JWT","kid":"{{kid}}"}""")}.{claims}";
            var signature = Base64UrlEncoder.Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text)));
            Assert.Null(await Tokens.VerifyAsync($"{text}.{signature}"));
        }
    }

    [Fact]
    public async Task Rejects_TokensOfAnotherKey_WhateverTheirKeyIdSays()
    {
        var genuine = await IssueAsync("repository:a/b:pull");
        using var mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = mine.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(point.Y)}}"}""";
        string[] headers =
        [
            $$"""{"alg":"ES256","typ":"JWT","kid":"{{KidOf(genuine)}}"}""",
            $$"""{"alg":"ES256","typ":"JWT","kid":"{{KidOf(genuine)}}","jwk":{{jwk}}}""",
            $$"""{"alg":"ES256","typ":"JWT","jwk":{{jwk}}}""",
            """{"alg":"ES256","typ":"JWT","kid":"unknown"}""",
            """{"alg":"ES256","typ":"JWT","kid":""}""",
            """{"alg":"ES256","typ":"JWT","kid":null}""",
            """{"alg":"ES256","typ":"JWT","kid":["a"]}""",
            """{"alg":"ES256","typ":"JWT","kid":"../../dev/null"}""",
            """{"alg":"ES256","typ":"JWT","kid":"' OR '1'='1"}""",
            $$"""{"alg":"ES256","typ":"JWT","kid":"x","kid":"{{KidOf(genuine)}}"}""",
            """{"alg":"ES256","typ":"JWT"}""",
            """{"alg":"ES256","typ":"JWT","kid":"x","jku":"http://127.0.0.1:1/keys"}""",
        ];
        foreach (var header in headers)
            Assert.Null(await Tokens.VerifyAsync(Sign(mine, header, Claims())));
    }

    [Fact]
    public async Task Rejects_GenuineSignaturesOverTheWrongClaims()
    {
        var key = (await _parts.Get<SigningKeys>().SigningKeyAsync()).ECDsa;
        var header = $$"""{"alg":"ES256","typ":"JWT","kid":"{{(await _parts.Get<SigningKeys>().SigningKeyAsync()).KeyId}}"}""";
        Assert.NotNull(await Tokens.VerifyAsync(Sign(key, header, Claims())));
        var now = _parts.Time.GetUtcNow().ToUnixTimeSeconds();

        string[] wrong =
        [
            Claims(issuer: "another"), Claims(audience: "another"), Claims(audience: "gantry:refresh"), Claims(audience: ""),
            Claims(expires: now - 61), Claims(notBefore: now + 62), Claims(subject: "JANE"), Claims(subject: ""),
            Claims().Replace("\"exp\"", "\"exq\"", StringComparison.Ordinal), Claims(access: "{}"), Claims(access: "\"*\""),
            Claims().Replace("\"access\"", "\"excess\"", StringComparison.Ordinal),
            Claims().Replace("\"sub\"", "\"bus\"", StringComparison.Ordinal),
            Claims().Replace("\"rev\"", "\"ver\"", StringComparison.Ordinal), Claims().Replace("\"rev\":0", "\"rev\":\"0\"", StringComparison.Ordinal),
            Claims().Replace("\"uid\"", "\"diu\"", StringComparison.Ordinal), Claims().Replace("\"uid\":", "\"uid\":9", StringComparison.Ordinal),
            "[]", "{}", "null", "", "{",
        ];
        foreach (var claims in wrong)
            Assert.True(await Tokens.VerifyAsync(Sign(key, header, claims)) is null, claims);

        foreach (var other in new[] { "refresh+jwt", "at+jwt", "" })
            Assert.Null(await Tokens.VerifyAsync(Sign(key, header.Replace("\"JWT\"", $"\"{other}\"", StringComparison.Ordinal), Claims())));
    }

    [Fact]
    public async Task Rejects_TamperedAndMisshapenTokens()
    {
        var genuine = await IssueAsync("repository:a/b:pull");
        var parts = genuine.Split('.');
        var greedy = Encode(Encoding.UTF8.GetString(Base64UrlEncoder.DecodeBytes(parts[1])).Replace("pull", "push", StringComparison.Ordinal));
        string[] wrong =
        [
            "", ".", "..", "...", "....", "a.b.c", $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{greedy}.{parts[2]}", $"{genuine}.", $"{genuine}.x.y", $".{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2][..^4]}", $"{parts[0]}.{parts[1]}.{parts[2]}AAAA", $"{genuine} ", $" {genuine}",
            $"{Encode("""{"alg":"ECDH-ES","enc":"A256GCM","kid":"x"}""")}.a.b.c.d",
            new string('a', 1 << 20), $"{parts[0]}.{new string('A', 1 << 20)}.{parts[2]}", new string('.', 1 << 20),
            $"{Encode(new string('[', 5000))}.{parts[1]}.{parts[2]}", "é.é.é", "\0.\0.\0",
        ];
        foreach (var token in wrong)
            Assert.True(await Tokens.VerifyAsync(token) is null, token[..Math.Min(60, token.Length)]);
    }

    [Fact]
    public async Task RandomChanges_OfAGenuineToken_AreRejectedAndNeverThrow()
    {
        var genuine = await IssueAsync("repository:a/b:pull");
        const string alphabet = "ABab01-_.=+/ \0é";
        var random = new Random(20261121);
        for (var i = 0; i < 500; i++)
        {
            // The last sign of the signature has bits without a meaning.
            var text = genuine.ToCharArray();
            var at = random.Next(text.Length - 1);
            var sign = alphabet[random.Next(alphabet.Length)];
            if (text[at] == sign) continue;
            text[at] = sign;
            Assert.Null(await Tokens.VerifyAsync(new string(text)));
        }
    }

    [Fact]
    public async Task SignatureInPlainBase64_IsRejected()
    {
        // Until one has a sign that the two alphabets write differently.
        string genuine;
        do genuine = await IssueAsync("repository:a/b:pull");
        while (!genuine[genuine.LastIndexOf('.')..].AsSpan().ContainsAny('-', '_'));

        var signature = genuine.LastIndexOf('.');
        var plain = genuine[..signature] + genuine[signature..].Replace('-', '+').Replace('_', '/');

        Assert.NotNull(await Tokens.VerifyAsync(genuine));
        Assert.Null(await Tokens.VerifyAsync(plain));
    }

    [Fact]
    public async Task RefreshToken_AndBearerToken_DoNotPassForEachOther()
    {
        var refresh = (await _parts.Get<RefreshTokens>().IssueAsync(_jane)).Text;
        var bearer = await IssueAsync("repository:a/b:pull");

        Assert.Equal(_jane.Account, (await _parts.Get<RefreshTokens>().RedeemAsync(refresh))!.Account);
        Assert.Null(await Tokens.VerifyAsync(refresh));
        Assert.Null(await _parts.Get<RefreshTokens>().RedeemAsync(bearer));
        Assert.Null(await _parts.Get<RefreshTokens>().RedeemAsync(""));
    }

    [Theory]
    [InlineData("UPDATE accounts SET security_stamp = gen_random_uuid()")]
    [InlineData("UPDATE accounts SET disabled_at = now()")]
    [InlineData("DELETE FROM accounts")]
    public async Task RefreshToken_EndsWithItsAccountsStamp(string change)
    {
        var refresh = (await _parts.Get<RefreshTokens>().IssueAsync(_jane)).Text;

        await _parts.ExecuteAsync(change);

        Assert.Null(await _parts.Get<RefreshTokens>().RedeemAsync(refresh));
    }

    [Fact]
    public async Task RefreshToken_ExpiresAfterItsLifetime()
    {
        var refresh = (await _parts.Get<RefreshTokens>().IssueAsync(_jane)).Text;

        _parts.Time.Advance(TimeSpan.FromDays(30));
        Assert.NotNull(await _parts.Get<RefreshTokens>().RedeemAsync(refresh));
        _parts.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(await _parts.Get<RefreshTokens>().RedeemAsync(refresh));
    }

    private async Task<string> IssueAsync(string scopes) =>
        (await Tokens.IssueAsync(_jane, ScopeRequest.Parse([scopes])!)).Token.Text;

    private string Claims(
        string issuer = "gantry", string audience = "gantry", string subject = "jane", long? expires = null, long? notBefore = null,
        string access = """[{"type":"repository","name":"a/b","actions":["pull"]}]""")
    {
        var now = _parts.Time.GetUtcNow().ToUnixTimeSeconds();
        return $$"""
            {"iss":"{{issuer}}","aud":"{{audience}}","sub":"{{subject}}","iat":{{now}},"nbf":{{notBefore ?? now}},"exp":{{expires ?? now + 300}},"jti":"x","rev":0,"uid":{{_jane.Account.Id}},"access":{{access}}}
            """;
    }

    private static string Sign(ECDsa key, string header, string claims)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        return $"{text}.{Base64UrlEncoder.Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));

    private static string KidOf(string token) => PartOf(token, 0).GetProperty("kid").GetString()!;

    private static JsonElement PartOf(string token, int part) =>
        JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.Split('.')[part])).RootElement;
}
