using System.Net;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// Whatever a client sends as name and password: an issuer's token by the name <see cref="AccountName.Keyless"/>, an access
/// token by its looks, everything else is a person's password. Each login and each failure of a known account is
/// recorded; a credential that is shown again from the same address within <see cref="SameFor"/> is the same login.
/// </summary>
public sealed class Logins(
    PasswordLogin passwords, AccessTokenLogin accessTokens, KeylessLogin keyless, IDbContextFactory<RegistryDbContext> database,
    AuditTrail audit, TimeProvider time)
{
    /// <summary>The longest secret that is looked at: a token of an issuer.</summary>
    public const int MaxSecretLength = SignedTokens.MaxLength;

    private static readonly TimeSpan SameFor = TimeSpan.FromMinutes(10);
    private const int Remembered = 4096;

    private readonly RecentlyUsed<(long Account, LoginMethod Method, long? Token, string? Detail, string? Address), DateTimeOffset> _recorded =
        new(Remembered);

    /// <summary>Null: wrong, whatever the reason.</summary>
    /// <exception cref="OciException">
    /// TooManyRequests, with the seconds to wait; what <see cref="KeylessAsync"/> throws.
    /// </exception>
    public async Task<LoggedIn?> TryLoginAsync(
        string name, string secret, IPAddress address, Actor actor, CancellationToken cancellationToken = default)
    {
        if (name == AccountName.Keyless) return await KeylessAsync(secret, actor, cancellationToken);
        var login = AccessTokenText.IsMeant(secret)
            ? await accessTokens.TryLoginAsync(name, secret, cancellationToken)
            : await passwords.TryLoginAsync(name, secret, address, actor);
        if (login is not null) await RecordAsync(login, actor, cancellationToken);
        else await RecordFailureAsync(name, actor, cancellationToken);
        return login;
    }

    /// <summary>An access token sent as a bearer token, without a name; null: not one, or not valid.</summary>
    public async Task<LoggedIn?> TryBearerAsync(string text, Actor actor, CancellationToken cancellationToken = default)
    {
        var login = await accessTokens.TryLoginAsync(null, text, cancellationToken);
        if (login is not null) await RecordAsync(login, actor, cancellationToken);
        return login;
    }

    /// <summary>A token of an issuer; without one that is accepted there is no account whose failure could be recorded.</summary>
    /// <inheritdoc cref="KeylessLogin.LoginAsync" path="/exception"/>
    public async Task<LoggedIn> KeylessAsync(string token, Actor actor, CancellationToken cancellationToken = default)
    {
        var login = await keyless.LoginAsync(token, cancellationToken);
        await RecordAsync(login, actor, cancellationToken);
        return login;
    }

    /// <summary>Records a login, whichever way it was made.</summary>
    public async Task RecordAsync(LoggedIn login, Actor actor, CancellationToken cancellationToken = default)
    {
        var key = (login.Account.Id, login.Method, login.AccessTokenId ?? login.TrustId, login.Detail, actor.Address);
        var now = time.GetUtcNow();
        if (_recorded.TryGet(key, out var last) && now - last < SameFor) return;

        var detail = login.Detail ?? WordOf(login.Method);
        await audit.RecordAsync(
            new Event(EventKinds.Login) { Detail = detail }, actor with { Account = login.Account.Name.ToString() }, cancellationToken);
        _recorded.Set(key, now);
    }

    private async Task RecordFailureAsync(string name, Actor actor, CancellationToken cancellationToken)
    {
        // Only of accounts that exist: strangers must not fill the table with names they make up.
        if (!AccountName.TryParse(name, out _)) return;
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        if (!await db.Accounts.AnyAsync(row => row.Name == name, cancellationToken)) return;
        await audit.RecordAsync(new Event(EventKinds.LoginFailed), actor with { Account = name }, cancellationToken);
    }

    private static string WordOf(LoginMethod method) => method switch
    {
        LoginMethod.Password => "password",
        LoginMethod.AccessToken => "access token",
        LoginMethod.Ldap => "LDAP",
        LoginMethod.SingleSignOn => "single sign-on",
        _ => "keyless",
    };
}
