using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Events;

/// <summary>The kinds of events, as they stand in the table.</summary>
public static class EventKinds
{
    public const string Push = "push";
    public const string TagDelete = "tag.delete";
    public const string ManifestDelete = "manifest.delete";
    public const string BlobDelete = "blob.delete";
    public const string TagRestore = "tag.restore";
    public const string ManifestRestore = "manifest.restore";
    public const string BlobRestore = "blob.restore";
    public const string ReadmeWrite = "readme.write";
    public const string ReadmeRemove = "readme.remove";
    public const string BlobQuarantine = "blob.quarantine";
    public const string BlobHeal = "blob.heal";
    public const string Login = "login";
    public const string LoginFailed = "login.failed";
    public const string Denied = "denied";
    public const string TokenIssue = "token.issue";
    public const string NamespaceCreate = "namespace.create";
    public const string NamespaceChange = "namespace.change";
    public const string NamespaceDelete = "namespace.delete";
    public const string MemberSet = "member.set";
    public const string MemberRemove = "member.remove";
    public const string RuleAdd = "rule.add";
    public const string RuleRemove = "rule.remove";
    public const string AccountCreate = "account.create";
    public const string AccountChange = "account.change";
    public const string AccountDelete = "account.delete";
    public const string AccessTokenCreate = "access-token.create";
    public const string AccessTokenRevoke = "access-token.revoke";
    public const string TrustAdd = "trust.add";
    public const string TrustRemove = "trust.remove";
    public const string WebhookCreate = "webhook.create";
    public const string WebhookChange = "webhook.change";
    public const string WebhookDelete = "webhook.delete";
    public const string WebhookFailing = "webhook.failing";
    public const string WebhookWorking = "webhook.working";
    public const string GcRun = "gc.run";
}

/// <summary>What happened; who did it, from where, is the <see cref="Actor"/>.</summary>
/// <param name="Kind">One of <see cref="EventKinds"/>.</param>
public sealed record Event(string Kind)
{
    /// <summary>The namespace concerned; a repository's own where <see cref="Repository"/> is set.</summary>
    public string? Namespace { get; init; }

    public RepositoryName? Repository { get; init; }

    public Digest? Digest { get; init; }

    public string? Tag { get; init; }

    /// <summary>Whom or what a change was about: an account, a group, an access token's name.</summary>
    public string? Subject { get; init; }

    /// <summary>The rest, for people: a role, a rule, what was asked and granted. Never a secret.</summary>
    public string? Detail { get; init; }
}

/// <summary>Appends to <c>events</c> in the caller's transaction: an event exists if and only if what it tells does.</summary>
internal static class EventLog
{
    public static Task AppendEventAsync(
        this RegistryDbContext db, Event what, Actor actor, CancellationToken cancellationToken)
    {
        var (repository, digest) = (what.Repository?.ToString(), what.Digest?.ToString());
        var name = what.Namespace ?? what.Repository?.Namespace;
        var client = actor.Client is { Length: > Actor.MaxClient } text ? text[..Actor.MaxClient] : actor.Client;
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO events (kind, namespace, repository, digest, tag, subject, detail, account, address, client, request_id)
             VALUES ({what.Kind}, {name}, {repository}, {digest}, {what.Tag}, {what.Subject}, {what.Detail},
                     {actor.Account}, {actor.Address}, {client}, {actor.RequestId})
             """, cancellationToken);
    }
}

/// <summary>Records what changes nothing by itself and has no transaction: logins, denials, tokens.</summary>
public sealed class AuditTrail(IDbContextFactory<RegistryDbContext> contexts)
{
    public async Task RecordAsync(Event what, Actor actor, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.AppendEventAsync(what, actor, cancellationToken);
    }
}
