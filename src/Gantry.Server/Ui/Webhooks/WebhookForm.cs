using System.Security.Cryptography;
using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;

namespace Gantry.Server.Ui;

/// <summary>What the form of a webhook says, read and checked; faults are told beside their fields.</summary>
internal sealed record WebhookForm(
    string Name, WebhookUrl Url, WebhookFormat Format, IReadOnlyList<string> Kinds, RepositoryPattern Repositories, string Authorization)
{
    /// <summary>As the form has them, in the order in which things happen to an image.</summary>
    public static IReadOnlyList<(string Kind, string Text)> KindNames { get; } =
    [
        (EventKinds.Push, "an image is pushed"), (EventKinds.TagDelete, "a tag is deleted"), (EventKinds.ManifestDelete, "an image is deleted"),
        (EventKinds.BlobDelete, "a blob is deleted"), (EventKinds.TagRestore, "a tag is restored"), (EventKinds.ManifestRestore, "an image is restored"),
        (EventKinds.BlobRestore, "a blob is restored"), (EventKinds.BlobQuarantine, "a blob is found broken"), (EventKinds.BlobHeal, "a broken blob is whole again"),
        (EventKinds.ReadmeWrite, "a README is written"), (EventKinds.ReadmeRemove, "a README is removed"), (EventKinds.MemberSet, "somebody gets a role"),
        (EventKinds.MemberRemove, "somebody loses a role"), (EventKinds.RuleAdd, "a rule is added"), (EventKinds.RuleRemove, "a rule is removed"),
        (EventKinds.NamespaceCreate, "a namespace is made"), (EventKinds.NamespaceChange, "a namespace becomes public or private"),
        (EventKinds.NamespaceDelete, "a namespace is deleted"), (EventKinds.AccountCreate, "an account or a robot is made"),
        (EventKinds.AccountChange, "an account or a robot is changed"), (EventKinds.AccountDelete, "an account or a robot is deleted"),
        (EventKinds.AccessTokenCreate, "an access token is made"), (EventKinds.AccessTokenRevoke, "an access token is revoked"),
        (EventKinds.TrustAdd, "a robot trusts an issuer"), (EventKinds.TrustRemove, "a robot trusts an issuer no more"),
        (EventKinds.Denied, "something is denied to an account"), (EventKinds.LoginFailed, "a login fails"), (EventKinds.GcRun, "garbage is collected"),
    ];

    public static (string Value, string Text)[] Formats { get; } =
        [("cloudevents", "CloudEvents 1.0"), ("distribution", "as docker's distribution sends them")];

    /// <summary>Null: something is wrong with it.</summary>
    public static WebhookForm? Read(Fields fields, bool isOfNamespace)
    {
        var name = fields.Text("name", WebhookList.MaxName, required: true);
        if (!WebhookUrl.TryParse(fields.Text("url", WebhookUrl.MaxLength, required: true), out var url))
            fields.Fault("url", "This must be an http or https address, without credentials and without #.");
        var format = fields["format"] == "distribution" ? WebhookFormat.Distribution : WebhookFormat.CloudEvents;
        var kinds = fields.All("kinds").Where(WebhookKinds.All.Contains).Distinct().ToList();
        if (WebhookKinds.FaultOf(kinds, format, isOfNamespace) is { } unfit) fields.Fault("kinds", kinds.Count == 0 ? "Choose at least one." : $"They {unfit}.");
        var pattern = fields.Text("repositories", 255) is { Length: > 0 } typed ? typed : "*";
        if (!RepositoryPattern.TryParse(pattern, out var repositories)) fields.Fault("repositories", "A pattern is of a-z, 0-9, . _ - / and *.");
        var authorization = fields.Secret("authorization").Trim();
        if (authorization.Length > WebhookList.MaxAuthorization || !authorization.All(c => c is >= ' ' and <= '~'))
            fields.Fault("authorization", $"This must be printable ASCII, as a header's value is, of at most {WebhookList.MaxAuthorization:N0} characters.");
        return fields.HasFaults ? null : new WebhookForm(name, url, format, kinds, repositories, authorization);
    }

    /// <summary>What of a webhook is different; nothing else is touched, so that a target that fails is not taken for a new one.</summary>
    /// <param name="dropAuthorization">An empty field leaves it as it is.</param>
    public WebhookChanges ChangesTo(Webhook webhook, bool dropAuthorization) => new()
    {
        Name = Name == webhook.Name ? null : Name,
        Url = Url.ToString() == webhook.Url ? null : Url,
        Format = Format == webhook.Format ? null : Format,
        Kinds = Kinds.Order(StringComparer.Ordinal).SequenceEqual(webhook.Kinds.Order(StringComparer.Ordinal)) ? null : Kinds,
        Repositories = $"{Repositories}" == $"{webhook.Repositories}" ? null : Repositories,
        Authorization = Authorization.Length > 0 ? Authorization : dropAuthorization && webhook.HasAuthorization ? "" : null,
    };

    /// <summary>Stands in a form: whether the webhook is still what was shown there. What deliveries do to it does not count.</summary>
    public static string MarkOf(Webhook webhook)
    {
        var text = string.Join('\n', [webhook.Name, webhook.Url, $"{webhook.Format}", string.Join(' ', webhook.Kinds), $"{webhook.Repositories}",
            $"{webhook.HasAuthorization}", $"{webhook.Active}"]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
