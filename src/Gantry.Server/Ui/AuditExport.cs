using System.Text;
using System.Text.Json;
using Gantry.Core.Data;
using Gantry.Core.Events;

namespace Gantry.Server.Ui;

/// <summary>An event as a line of an export has it.</summary>
internal sealed record ExportedEvent(
    long Id, DateTimeOffset At, string Kind, string? Account, string? Namespace, string? Repository, string? Tag, string? Digest,
    string? Subject, string? Detail, string? Address, string? Client, string? RequestId);

/// <summary>The audit trail as a file, as the page's filter has it: JSON lines or CSV, newest first. Memory: one page of events.</summary>
internal static class AuditExport
{
    private const string Columns = "id,at,kind,account,namespace,repository,tag,digest,subject,detail,address,client,request_id\r\n";

    public static async Task AnswerAsync(HttpContext http)
    {
        var visit = Visit.Of(http);
        var isCsv = visit.Query("format") switch
        {
            "csv" => true,
            "jsonl" => false,
            _ => throw new PageException(400, "An export is format=csv or format=jsonl."),
        };
        var (listing, filter) = (visit.Service<AuditListing>(), AuditQuery.Of(visit).Filter);
        http.Response.ContentType = isCsv ? "text/csv; charset=utf-8" : "application/jsonl";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"audit.{(isCsv ? "csv" : "jsonl")}\"";
        if (isCsv) await http.Response.WriteAsync(Columns, visit.Aborted);

        IReadOnlyList<EventRow> page;
        for (long? before = null; (page = await listing.PageAsync(filter, before, AuditListing.MaxPage, visit.Aborted)).Count > 0; before = page[^1].Id)
        {
            foreach (var row in page)
            {
                var line = isCsv ? Csv(row) : Json(row);
                await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(line), visit.Aborted);
            }
        }
    }

    private static string Json(EventRow row) => JsonSerializer.Serialize(new ExportedEvent(
        row.Id, row.At, row.Kind, row.Account, row.Namespace, row.Repository, row.Tag, row.Digest, row.Subject, row.Detail, row.Address,
        row.Client, row.RequestId), UiJson.Default.ExportedEvent) + "\n";

    private static string Csv(EventRow row) => string.Join(',', new[]
    {
        $"{row.Id}", $"{row.At.UtcDateTime:O}", row.Kind, row.Account, row.Namespace, row.Repository, row.Tag, row.Digest, row.Subject,
        row.Detail, row.Address, row.Client, row.RequestId,
    }.Select(Cell)) + "\r\n";

    // A spreadsheet takes what begins like this for a formula, and runs it: names of clients are anybody's to choose.
    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var safe = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? $"'{text}" : text;
        return safe.AsSpan().IndexOfAny(",\"\r\n") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}

/// <summary>What the query of the audit page asks for; both days are in it.</summary>
internal sealed record AuditQuery(AuditFilter Filter, UtcDay? From, UtcDay? Until)
{
    public static AuditQuery Of(Visit visit)
    {
        var (from, until) = (DayOf(visit, "from"), DayOf(visit, "until"));
        return new AuditQuery(new AuditFilter
        {
            Account = visit.Query("account"), Namespace = visit.Query("namespace"), Repository = visit.Query("repository"), Kind = visit.Query("kind"),
            From = from?.Begin, Until = until?.End,
        }, from, until);
    }

    /// <summary>The same again, for an address; begins with an ampersand where it is not empty.</summary>
    public string Text
    {
        get
        {
            (string Name, string? Value)[] parts =
            [
                ("account", Filter.Account), ("namespace", Filter.Namespace), ("repository", Filter.Repository), ("kind", Filter.Kind),
                ("from", From?.ToString()), ("until", Until?.ToString()),
            ];
            return string.Concat(parts.Where(part => part.Value is not null).Select(part => $"&{part.Name}={Uri.EscapeDataString(part.Value!)}"));
        }
    }

    // An export of more than was asked for would be taken for what was.
    private static UtcDay? DayOf(Visit visit, string name) =>
        visit.Query(name) is not { } text ? null
        : UtcDay.TryParse(text, out var day) ? day
        : throw new PageException(400, "A day is a date like 2026-01-31.");
}
