using System.Collections.Frozen;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Signing in through a provider: <see cref="SignOnProvider.BeginAsync"/> sends the browser away,
/// <see cref="CompleteAsync"/> takes what it brings back and gives the account. Nothing is kept here in between.
/// </summary>
public sealed partial class SingleSignOn : IDisposable
{
    private readonly FrozenDictionary<string, SignOnProvider> _providers;
    private readonly ExternalAccounts _accounts;
    private readonly Logins _logins;
    private readonly AuditTrail _audit;
    private readonly IDbContextFactory<RegistryDbContext> _database;
    private readonly ILogger<SingleSignOn> _logger;

    public SingleSignOn(
        IOptions<SingleSignOnOptions> options, ExternalAccounts accounts, Logins logins, AuditTrail audit,
        IDbContextFactory<RegistryDbContext> database, TimeProvider time, ILogger<SingleSignOn> logger)
    {
        (_accounts, _logins, _audit, _database, _logger) = (accounts, logins, audit, database, logger);
        _providers = options.Value.Providers.ToFrozenDictionary(
            pair => pair.Key, pair => new SignOnProvider(pair.Key, pair.Value, time, logger), StringComparer.Ordinal);
    }

    /// <summary>All providers, by name.</summary>
    public IEnumerable<SignOnProvider> Providers => _providers.Values.OrderBy(provider => provider.Name, StringComparer.Ordinal);

    /// <summary>Null: no such provider.</summary>
    public SignOnProvider? Find(string name) => _providers.GetValueOrDefault(name);

    /// <summary>The account of whom the provider means; made at the first sign-on, brought up to date at each.</summary>
    /// <exception cref="SignOnException">Nobody is signed in.</exception>
    public async Task<LoggedIn> CompleteAsync(
        SignOnProvider provider, SignOnAttempt attempt, SignOnAnswer answer, Actor actor, CancellationToken cancellationToken)
    {
        var identity = await provider.CompleteAsync(attempt, answer, cancellationToken);
        if (!provider.Allows(identity.Groups))
        {
            throw await DeniedAsync(
                identity, "none of your groups may sign in here", "in no group that may sign in", actor, cancellationToken);
        }

        if (await _accounts.SignInAsync(identity, LoginMethod.SingleSignOn, actor, cancellationToken) is not { } login)
            throw await DeniedAsync(identity, "your account is disabled", "the account is disabled", actor, cancellationToken);
        await _logins.RecordAsync(login, actor, cancellationToken);
        return login;
    }

    public void Dispose()
    {
        foreach (var provider in _providers.Values) provider.Dispose();
    }

    // Recorded where the account is known, as every failure is.
    private async Task<SignOnException> DeniedAsync(
        ExternalIdentity identity, string message, string detail, Actor actor, CancellationToken cancellationToken)
    {
        LogDenied(_logger, identity.Provider, identity.Subject, detail);
        await using var db = await _database.CreateDbContextAsync(cancellationToken);
        var name = await db.AccountIdentities
            .Where(row => row.Provider == identity.Provider && row.Subject == identity.Subject)
            .Join(db.Accounts, row => row.AccountId, account => account.Id, (_, account) => account.Name)
            .SingleOrDefaultAsync(cancellationToken);
        if (name is not null)
        {
            await _audit.RecordAsync(
                new Event(EventKinds.LoginFailed) { Detail = $"{identity.Provider}: {detail}" }, actor with { Account = name },
                cancellationToken);
        }

        return new SignOnException(SignOnFault.Denied, message);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Provider} vouches for {Subject}, who is not let in: {Reason}")]
    private static partial void LogDenied(ILogger logger, string provider, string subject, string reason);
}
