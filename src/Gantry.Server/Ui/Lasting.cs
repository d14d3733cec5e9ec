using System.Globalization;

namespace Gantry.Server.Ui;

/// <summary>How long something lasts, in words: "a day", "36 hours".</summary>
internal static class Lasting
{
    public static string Of(TimeSpan time) => time switch
    {
        { TotalDays: >= 1, Hours: 0, Minutes: 0, Seconds: 0 } => time.Days == 1 ? "a day" : $"{time.Days} days",
        { TotalHours: >= 1, Minutes: 0, Seconds: 0 } => time.TotalHours == 1 ? "an hour" : $"{(int)time.TotalHours} hours",
        { TotalMinutes: >= 1, Seconds: 0 } => time.TotalMinutes == 1 ? "a minute" : $"{(int)time.TotalMinutes} minutes",
        _ => time.ToString("c", CultureInfo.InvariantCulture),
    };
}
