using System.Globalization;
using System.Text;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Cli.Output;

/// <summary>Values as people read them, and nothing of an image's own words that could move a cursor.</summary>
internal static class Shown
{
    /// <summary>A text out of an image, at most <paramref name="width"/> characters of it (null: up to the bound of <see cref="Printable"/>).</summary>
    public static string Text(string text, int? width = null)
    {
        var printable = Printable.Of(Encoding.UTF8.GetBytes(text.Length > 4096 ? text[..4096] : text));
        return width is { } most && printable.Length > most ? string.Concat(printable.AsSpan(0, Math.Max(0, most - 3)), "...") : printable;
    }

    /// <summary>All of it, escaped piece by piece: for output that was asked for in full.</summary>
    public static string Whole(string text)
    {
        var shown = new StringBuilder();
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var at = 0; at < bytes.Length;)
        {
            // Not in the middle of a character.
            var end = Math.Min(at + 48, bytes.Length);
            while (end < bytes.Length && (bytes[end] & 0xC0) == 0x80) end++;
            shown.Append(Printable.Of(bytes.AsSpan(at, end - at)));
            at = end;
        }

        return shown.ToString();
    }

    public static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    /// <summary>The twelve characters that docker shows of an id.</summary>
    public static string Short(Digest digest) => digest.Hex[..12];

    /// <summary>With three digits and a decimal unit, as docker has it: 72.2MB, 1.21kB, 0B.</summary>
    public static string Size(long bytes)
    {
        ReadOnlySpan<string> units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        double value = bytes;
        var unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var digits = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.#" : "0.##";
        return value.ToString(digits, CultureInfo.InvariantCulture) + units[unit];
    }

    public static string Age(DateTimeOffset? when, TimeProvider time)
    {
        if (when is not { } then) return "N/A";
        var age = time.GetUtcNow() - then;
        return age switch
        {
            { TotalSeconds: < 1 } => "Less than a second ago",
            { TotalSeconds: < 60 } => Count(age.TotalSeconds, "second"),
            { TotalMinutes: < 2 } => "About a minute ago",
            { TotalMinutes: < 60 } => Count(age.TotalMinutes, "minute"),
            { TotalHours: < 2 } => "About an hour ago",
            { TotalHours: < 48 } => Count(age.TotalHours, "hour"),
            { TotalDays: < 14 } => Count(age.TotalDays, "day"),
            { TotalDays: < 60 } => Count(age.TotalDays / 7, "week"),
            { TotalDays: < 730 } => Count(age.TotalDays / 30, "month"),
            _ => Count(age.TotalDays / 365, "year"),
        };

        static string Count(double number, string unit) => (long)number == 1 ? $"1 {unit} ago" : $"{(long)number} {unit}s ago";
    }
}
