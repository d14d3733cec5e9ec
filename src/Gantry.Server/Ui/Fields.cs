using Microsoft.Extensions.Primitives;

namespace Gantry.Server.Ui;

/// <summary>
/// What one form of a page said, with what is wrong with it: all faults at once, each told beside its field. Before the form was sent it
/// is empty.
/// </summary>
public sealed class Fields
{
    private readonly Dictionary<string, string> _faults = new(StringComparer.Ordinal);
    private readonly IFormCollection? _form;

    /// <param name="name">Of the form: a page may have several.</param>
    public Fields(HttpContext http, string name)
    {
        if (HttpMethods.IsPost(http.Request.Method) && http.Request.HasFormContentType && http.Request.Form["_handler"] == name)
            _form = http.Request.Form;
    }

    public bool AreSent => _form is not null;

    public bool HasFaults => _faults.Count > 0;

    /// <summary>What was typed, to be shown again; null: nothing was sent.</summary>
    public string? this[string field] => _form is null ? null : (string?)_form[field] ?? "";

    /// <summary>Without white space around it. Control characters, but for the lines of a longer text, are a fault.</summary>
    public string Text(string field, int most, bool required = false)
    {
        var text = ((string?)_form?[field] ?? "").Trim();
        if (required && text.Length == 0) Fault(field, "This is needed.");
        if (text.Length > most) Fault(field, $"This is longer than {most} characters.");
        if (text.Any(c => char.IsControl(c) && c is not ('\r' or '\n'))) Fault(field, "This holds a control character.");
        return text;
    }

    /// <summary>As typed, white space too.</summary>
    public string Secret(string field) => (string?)_form?[field] ?? "";

    public IReadOnlyList<string> All(string field) => [.. (_form?[field] ?? StringValues.Empty).OfType<string>()];

    public bool Has(string field, string value) => All(field).Contains(value);

    /// <summary>The number that a button of a row gave; 0, which nothing has, where it is none.</summary>
    public long Id(string field) => long.TryParse(this[field], System.Globalization.NumberStyles.None, null, out var id) ? id : 0;

    public void Fault(string field, string fault) => _faults.TryAdd(field, fault);

    public string? FaultOf(string field) => _faults.GetValueOrDefault(field);
}
