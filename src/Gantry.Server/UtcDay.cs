using System.Globalization;

namespace Gantry.Server;

/// <summary>A day in UTC, as queries name one: <c>2026-01-31</c>.</summary>
internal readonly record struct UtcDay(DateOnly Date)
{
    public DateTimeOffset Begin => new(Date.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    /// <summary>The beginning of the next day.</summary>
    public DateTimeOffset End => Begin.AddDays(1);

    /// <summary>Days of which a database can tell the next are enough for anybody.</summary>
    public static bool TryParse(string text, out UtcDay day)
    {
        var isDate = DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date);
        day = new UtcDay(date);
        return isDate && date.Year is >= 1000 and < 9999;
    }

    public override string ToString() => Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
