using Gantry.Core.Access;
using Gantry.Core.Events;

namespace Gantry.Core.Webhooks;

/// <summary>
/// The kinds of events that webhooks can be told. Pulls, mounts and uploads of blobs are none: they write no event, and a write for each
/// pull would be dear. Logins and tokens are none either: every client's work begins with one. Nor are webhooks' own, which would tell a target that it fails.
/// </summary>
public static class WebhookKinds
{
    /// <summary>A delivery that tells nothing but that deliveries arrive. Nobody subscribes to it.</summary>
    public const string Ping = "ping";

    private static readonly string[] Contents =
    [
        EventKinds.Push, EventKinds.TagDelete, EventKinds.ManifestDelete, EventKinds.BlobDelete, EventKinds.TagRestore, EventKinds.ManifestRestore,
        EventKinds.BlobRestore,
    ];

    // What its maintainers do themselves in a namespace; of accounts its robots alone have one.
    private static readonly string[] Rights =
    [
        EventKinds.ReadmeWrite, EventKinds.ReadmeRemove, EventKinds.MemberSet, EventKinds.MemberRemove, EventKinds.RuleAdd, EventKinds.RuleRemove,
        EventKinds.NamespaceChange, EventKinds.AccountCreate, EventKinds.AccountChange, EventKinds.AccountDelete, EventKinds.AccessTokenCreate,
        EventKinds.AccessTokenRevoke, EventKinds.TrustAdd, EventKinds.TrustRemove,
    ];

    // Of a blob, wherever it is linked: no repository's, so no namespace's; of namespaces that are not there yet, or no more; and what strangers try, which is
    // the administrators' to know, as the audit trail is.
    private static readonly string[] Everywhere =
    [
        EventKinds.BlobQuarantine, EventKinds.BlobHeal, EventKinds.NamespaceCreate, EventKinds.NamespaceDelete, EventKinds.Denied, EventKinds.LoginFailed,
        EventKinds.GcRun,
    ];

    public static IReadOnlyList<string> All { get; } = [.. Contents, .. Rights, .. Everywhere];

    /// <summary>Where nobody says: what happens to images and tags.</summary>
    public static IReadOnlyList<string> Usual { get; } =
        [EventKinds.Push, EventKinds.TagDelete, EventKinds.ManifestDelete, EventKinds.TagRestore, EventKinds.ManifestRestore];

    /// <summary><c>*</c>, which events without a repository match too.</summary>
    public static RepositoryPattern AnyRepository { get; } = RepositoryPattern.TryParse("*", out var any) ? any : default;

    /// <summary>What is wrong with these, to follow their name in a sentence; null when they are fine.</summary>
    public static string? FaultOf(IReadOnlyList<string> kinds, WebhookFormat format, bool isOfNamespace)
    {
        if (kinds.Count == 0) return "must name at least one";
        if (kinds.Any(kind => kind is "pull" or "mount")) return $"must be of {Listed(All)}: pulls and mounts write no events, so nobody can be told of them";
        if (kinds.Any(kind => !All.Contains(kind))) return $"must be of {Listed(All)}";
        var everywhere = kinds.Where(kind => Everywhere.Contains(kind)).ToList();
        if (isOfNamespace && everywhere.Count > 0)
            return $"must be of {Listed([.. Contents, .. Rights])}: {Listed(everywhere)} concern no namespace, or are for administrators, and are told to webhooks of everything alone";
        var wordless = format == WebhookFormat.Distribution ? kinds.Where(kind => ActionOf(kind) is null).ToList() : [];
        return wordless.Count == 0 ? null : $"must be of {Listed(Contents)}: distribution's envelope has no word for {Listed(wordless)}";
    }

    /// <summary>What distribution calls it; a restore is a push to it: something can be pulled that could not.</summary>
    internal static string? ActionOf(string kind) => kind switch
    {
        EventKinds.Push or EventKinds.TagRestore or EventKinds.ManifestRestore or EventKinds.BlobRestore => "push",
        EventKinds.TagDelete or EventKinds.ManifestDelete or EventKinds.BlobDelete => "delete",
        _ => null,
    };

    private static string Listed(IEnumerable<string> kinds) => string.Join(", ", kinds);
}
