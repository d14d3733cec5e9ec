using System.Text.Json;

namespace Gantry.Core.Access;

/// <summary>What became of a text that claims to be a token of an issuer.</summary>
/// <param name="Issuer">The issuer's name in the configuration; null: it names none of them.</param>
/// <param name="Fault">What is wrong with it, in words that strangers may hear; null: it is genuine, and valid now.</param>
/// <param name="Claims">Only of a genuine one.</param>
internal sealed record IssuerToken(string? Issuer, string? Fault, JsonElement Claims = default)
{
    /// <summary>For the log and the audit trail: short, and on one line.</summary>
    public string Subject => Printable(Claims.GetProperty("sub").GetString()!);

    public static string Printable(string text)
    {
        var line = text.Length > 256 ? text[..256] : text;
        return string.Concat(line.Select(c => c is < ' ' or (>= '\x7f' and <= '\x9f') or '\u2028' or '\u2029' ? '?' : c));
    }
}
