using Gantry.Core.Access;
using Gantry.Core.Data;

namespace Gantry.Core.Webhooks;

/// <summary>Rows as what they mean.</summary>
internal static class WebhookRows
{
    public static string WordOf(WebhookFormat format) => format.ToString().ToLowerInvariant();

    public static WebhookFormat FormatOf(string word) => Enum.Parse<WebhookFormat>(word, ignoreCase: true);

    public static Webhook ToWebhook(this WebhookRow row, string? home) => new(
        row.Id, home, row.Name, row.Url, FormatOf(row.Format), row.Kinds,
        RepositoryPattern.TryParse(row.Repositories, out var pattern) ? pattern : WebhookKinds.AnyRepository,
        row.Active, row.Credential is not null, row.CreatedAt, row.FailedSince, row.Failing);
}
