using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Lets a token of a configured issuer stand for the account of the first trust (by id) that its claims match. Strangers
/// hear what is wrong with their token, and never which trusts there are; the log has both.
/// </summary>
public sealed partial class KeylessLogin
{
    private const int MismatchesInLog = 10;

    private readonly IssuerTokens _tokens;
    private readonly IDbContextFactory<RegistryDbContext> _database;
    private readonly IOptions<KeylessOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<KeylessLogin> _logger;

    internal KeylessLogin(
        IssuerTokens tokens, IDbContextFactory<RegistryDbContext> database, IOptions<KeylessOptions> options, TimeProvider time,
        ILogger<KeylessLogin> logger) =>
        (_tokens, _database, _options, _time, _logger) = (tokens, database, options, time, logger);

    /// <exception cref="OciException">
    /// Unauthorized: the token is none that is accepted, with a reason that its holder may hear. Unavailable: its
    /// issuer's keys cannot be had now, so nobody can say.
    /// </exception>
    public async Task<LoggedIn> LoginAsync(string text, CancellationToken cancellationToken = default)
    {
        var token = await _tokens.VerifyAsync(text, cancellationToken);
        if (token.Fault is { } fault)
        {
            LogRefused(_logger, token.Issuer, fault);
            throw new OciException(OciErrorCode.Unauthorized, fault);
        }

        var mismatches = new List<string>();
        await using var db = await _database.CreateDbContextAsync(cancellationToken);
        foreach (var trust in await TrustsAsync(db, token.Issuer!, cancellationToken))
        {
            if (ClaimRules.ParseStored(trust.Claims).Mismatch(token.Claims) is { } claim)
            {
                if (mismatches.Count < MismatchesInLog) mismatches.Add($"trust {trust.Id}: {claim}");
                continue;
            }

            var account = await db.Accounts.AsNoTracking()
                .SingleOrDefaultAsync(row => row.Id == trust.AccountId && row.DisabledAt == null, cancellationToken);
            if (account is not null) return ToLogin(account, trust, token);
            mismatches = [$"trust {trust.Id}: its account is disabled"];
            break;
        }

        LogUntrusted(_logger, token.Issuer!, token.Subject, mismatches.Count > 0 ? string.Join(", ", mismatches) : "there are no trusts");
        throw new OciException(OciErrorCode.Unauthorized, "the token is genuine, but no trust here accepts its claims");
    }

    private LoggedIn ToLogin(AccountRow account, TrustRow trust, IssuerToken token) =>
        account.ToLogin(LoginMethod.Keyless) with
        {
            TrustId = trust.Id,
            Limit = AccessLimit.Parse(trust.Scopes),
            Expires = _time.GetUtcNow() + _options.Value.SessionLifetime,
            Detail = $"keyless, {token.Issuer}: {token.Subject}",
        };

    private static Task<List<TrustRow>> TrustsAsync(RegistryDbContext db, string issuer, CancellationToken cancellationToken) =>
        db.Trusts.AsNoTracking().Where(row => row.Issuer == issuer).OrderBy(row => row.Id).Take(Trusts.MaxPerIssuer)
            .ToListAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Keyless login refused, issuer {Issuer}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string? issuer, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Keyless login refused, issuer {Issuer}: nothing trusts {Subject} ({Mismatches})")]
    private static partial void LogUntrusted(ILogger logger, string issuer, string subject, string mismatches);
}
