using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Access;

/// <summary>
/// Looks at a name and a password: throttled, in equal time for accounts that do not exist, and remembered for a short
/// while, so that a client with Basic does not pay for a slow hash at each request. Where a directory is configured, it
/// is asked about names that have no password here.
/// </summary>
/// <remarks>
/// What is remembered is a keyed hash of address, name and password; it holds only while the account's row in the
/// database, read each time, still has the same password hash and stamp and is not disabled. At most
/// <see cref="Remembered"/> entries of about 300 bytes.
/// </remarks>
public sealed partial class PasswordLogin(
    Accounts accounts, PasswordHashing hashing, LdapLogin ldap, LoginThrottle throttle, TimeProvider time,
    ILogger<PasswordLogin> logger)
{
    private const int Remembered = 4096;
    private static readonly TimeSpan RememberedFor = TimeSpan.FromMinutes(10);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly RecentlyUsed<string, Proof> _proofs = new(Remembered);
    private readonly ConcurrentDictionary<string, Lazy<Task<LoggedIn?>>> _running = new(StringComparer.Ordinal);

    /// <summary>
    /// Null: no such account, a wrong password, or a disabled account; which of them is told to
    /// nobody.
    /// </summary>
    /// <param name="actor">For what a first login by LDAP writes; null: known by the address alone.</param>
    /// <exception cref="OciException">
    /// TooManyRequests, with the seconds to wait. Unavailable: the directory does not answer.
    /// </exception>
    public async Task<LoggedIn?> TryLoginAsync(string name, string password, IPAddress address, Actor? actor = null)
    {
        // Such a name cannot exist, as everybody may know, so refusing it at once tells nothing.
        if (!AccountName.TryParse(name, out var account) || password.Length is 0 or > PasswordRules.MaxLength) return null;

        RefuseWhile(throttle.Wait(account, address), account, address);
        var credential = KeyOf(account, password, address);
        if (_proofs.TryGet(credential, out var proof) && proof.Expires > time.GetUtcNow())
        {
            var known = proof.Login;
            var row = await accounts.FindRowAsync(known.Account.Name, CancellationToken.None);
            if (row is { DisabledAt: null } && row.PasswordHash == proof.PasswordHash && row.SecurityStamp == known.SecurityStamp)
                return known with { Account = row.ToAccount() };
            _proofs.Remove(credential);
        }

        // The same credential many times at once is a client with many connections: one look serves them all. It is not
        // tied to a request's end, or a guesser would hang up to stay uncounted.
        var look = new Lazy<Task<LoggedIn?>>(() => LookAsync(account, password, address, credential, actor));
        return await _running.GetOrAdd(credential, look).Value;
    }

    private async Task<LoggedIn?> LookAsync(
        AccountName account, string password, IPAddress address, string credential, Actor? actor)
    {
        try
        {
            // Ended by an exception, a directory that does not answer, it counts as nothing.
            using var attempt = throttle.TryBegin(account, address, out var wait);
            if (attempt is null) RefuseWhile(wait, account, address);

            var row = await accounts.FindRowAsync(account, CancellationToken.None);
            var proof = ldap.Answers(account, row)
                ? await AskDirectoryAsync(account, password, actor ?? new Actor(null, address.ToString(), null))
                : await VerifyAsync(account, row, password);
            if (proof is null)
            {
                attempt!.Failed();
                LogFailed(logger, account, address);
                return null;
            }

            attempt!.Succeeded();
            _proofs.Set(credential, proof);
            return proof.Login;
        }
        finally
        {
            _running.TryRemove(credential, out _);
        }
    }

    private async Task<Proof?> VerifyAsync(AccountName account, AccountRow? row, string password)
    {
        var hash = row is { DisabledAt: null } ? row.PasswordHash : null;
        var result = await hashing.VerifyAsync(hash, password);
        if (result == PasswordVerificationResult.Failed) return null;

        // With the old hash it is remembered for nothing: the next look remembers it with the new one.
        if (result == PasswordVerificationResult.SuccessRehashNeeded)
            await accounts.RenewHashAsync(account, hash!, password, CancellationToken.None);
        return ProofOf(row!.ToLogin(), hash);
    }

    private async Task<Proof?> AskDirectoryAsync(AccountName account, string password, Actor actor) =>
        await ldap.TryLoginAsync(account, password, actor, CancellationToken.None) is { } login
            ? ProofOf(login, passwordHash: null)
            : null;

    private Proof ProofOf(LoggedIn login, string? passwordHash) => new(login, passwordHash, time.GetUtcNow() + RememberedFor);

    private void RefuseWhile(TimeSpan wait, AccountName account, IPAddress address)
    {
        if (wait <= TimeSpan.Zero) return;
        LogThrottled(logger, account, address, wait);
        throw new OciException(OciErrorCode.TooManyRequests, "too many wrong passwords; wait, then try again")
        {
            RetryAfterSeconds = (int)Math.Ceiling(wait.TotalSeconds),
        };
    }

    private string KeyOf(AccountName account, string password, IPAddress address) =>
        Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{address}\n{account}\n{password}")));

    // By LDAP the account may have another name than the one that was typed, and it has no hash.
    private sealed record Proof(LoggedIn Login, string? PasswordHash, DateTimeOffset Expires);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Login of {Account} from {Address} failed")]
    private static partial void LogFailed(ILogger logger, AccountName account, IPAddress address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Login of {Account} from {Address} refused for {Wait}")]
    private static partial void LogThrottled(ILogger logger, AccountName account, IPAddress address, TimeSpan wait);
}
