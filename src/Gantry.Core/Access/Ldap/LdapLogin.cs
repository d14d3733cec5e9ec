using System.DirectoryServices.Protocols;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Logins by a password that the directory knows. Its library blocks, so each runs on a thread of its own: at most
/// <see cref="Slots"/> at a time, and <see cref="MaxWaiting"/> wait; more get 429. A directory that does not answer is
/// 503 for these logins, and holds no other up.
/// </summary>
public sealed partial class LdapLogin(
    IOptions<LdapOptions> options, ExternalAccounts accounts, TimeProvider time, ILogger<LdapLogin> logger) : IDisposable
{
    private const int Slots = 8;
    private const int MaxWaiting = 256;

    private readonly SemaphoreSlim _slots = new(Slots);
    private readonly LdapDirectory _directory = new(options.Value, logger);
    private int _waiting;

    /// <summary>
    /// Whether the directory is asked: there is one, and the name is nobody's here, or of a person without a password. A
    /// password here comes first: the directory must not open an account that it does not know.
    /// </summary>
    public bool Answers(AccountName name, AccountRow? row) =>
        options.Value.IsConfigured && !name.IsReserved && row is null or { PasswordHash: null, Kind: "person" };

    /// <summary>Null: wrong, or the account is disabled.</summary>
    /// <exception cref="OciException">Unavailable: the directory does not answer. TooManyRequests: too many ask it.</exception>
    public async Task<LoggedIn?> TryLoginAsync(AccountName name, string password, Actor actor, CancellationToken cancellationToken)
    {
        if (await AskInTurnAsync(name, password, cancellationToken) is not { } identity) return null;
        return await accounts.SignInAsync(identity, LoginMethod.Ldap, actor, cancellationToken) is { } login
            ? login with { Expires = time.GetUtcNow() + options.Value.LoginLifetime }
            : null;
    }

    public void Dispose() => _slots.Dispose();

    private async Task<ExternalIdentity?> AskInTurnAsync(AccountName name, string password, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new OciException(OciErrorCode.TooManyRequests, "too many logins at once") { RetryAfterSeconds = 1 };
        }

        try
        {
            // Longer than this only behind a server that hangs.
            if (!await _slots.WaitAsync(options.Value.Timeout, cancellationToken)) throw Unavailable();
            try
            {
                return await Task.Factory.StartNew(
                    () => _directory.Authenticate(name.ToString(), password), CancellationToken.None,
                    TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
            finally
            {
                _slots.Release();
            }
        }
        catch (Exception e) when (e is DirectoryException or InvalidDataException)
        {
            LogNoAnswer(logger, options.Value.Url, e.Message, e);
            throw Unavailable();
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private static OciException Unavailable() =>
        new(OciErrorCode.Unavailable, "the directory (LDAP) that knows this account does not answer") { RetryAfterSeconds = 5 };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Url} does not answer a login as it should: {Reason}")]
    private static partial void LogNoAnswer(ILogger logger, string url, string reason, Exception exception);
}
