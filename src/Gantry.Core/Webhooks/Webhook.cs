using Gantry.Core.Access;

namespace Gantry.Core.Webhooks;

/// <summary>How a delivery's body is written.</summary>
public enum WebhookFormat
{
    /// <summary>The notification envelope that docker's distribution sends.</summary>
    Distribution,

    /// <summary>CloudEvents 1.0, structured JSON mode.</summary>
    CloudEvents,
}

/// <summary>Somebody who is told what happens, without the secrets.</summary>
/// <param name="Namespace">Whose events; null: everybody's.</param>
/// <param name="Url">May be a secret itself: for its keepers alone, never for a log.</param>
/// <param name="Kinds">Of <see cref="WebhookKinds"/>.</param>
/// <param name="Repositories">Events of other repositories are not told.</param>
/// <param name="HasAuthorization">Whether each delivery has an <c>Authorization</c> header.</param>
/// <param name="FailedSince">The first failure after the last success; null: the last try succeeded, or there was none.</param>
/// <param name="Failing">It fails for longer than <see cref="WebhookOptions.FailingAfter"/>.</param>
public sealed record Webhook(
    long Id, string? Namespace, string Name, string Url, WebhookFormat Format, IReadOnlyList<string> Kinds, RepositoryPattern Repositories,
    bool Active, bool HasAuthorization, DateTimeOffset CreatedAt, DateTimeOffset? FailedSince, bool Failing);

/// <summary>What a new webhook is to be.</summary>
public sealed record NewWebhookSettings(string Name, WebhookUrl Url, WebhookFormat Format, IReadOnlyList<string> Kinds)
{
    public RepositoryPattern Repositories { get; init; } = WebhookKinds.AnyRepository;

    public bool Active { get; init; } = true;

    /// <summary>Null: one is made up.</summary>
    public WebhookSecret? Secret { get; init; }

    /// <summary>Sent as the header of that name; null: none.</summary>
    public string? Authorization { get; init; }
}

/// <summary>What to change of a webhook; null: left as it is.</summary>
public sealed record WebhookChanges
{
    public string? Name { get; init; }

    public WebhookUrl? Url { get; init; }

    public WebhookFormat? Format { get; init; }

    public IReadOnlyList<string>? Kinds { get; init; }

    public RepositoryPattern? Repositories { get; init; }

    public bool? Active { get; init; }

    public WebhookSecret? Secret { get; init; }

    /// <summary>Empty: no longer any.</summary>
    public string? Authorization { get; init; }

    /// <summary>What changes, for an event; no values, some of which are secrets.</summary>
    public override string ToString()
    {
        string?[] parts =
        [
            Active switch { true => "active", false => "inactive", null => null }, Name is null ? null : "name", Url is null ? null : "url",
            Format is null ? null : "format", Kinds is null ? null : "kinds", Repositories is null ? null : "repositories",
            Secret is null ? null : "secret", Authorization is null ? null : "authorization",
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }
}

/// <param name="Secret">Shown now, and never again.</param>
public sealed record MadeWebhook(Webhook Webhook, WebhookSecret Secret);
