namespace Gantry.Server.Ui;

/// <summary>Numbers of things, in sentences.</summary>
internal static class Plural
{
    /// <summary>"1 tag", "2,000 tags".</summary>
    public static string Of(long count, string what) => $"{count:N0} {what}{(count == 1 ? "" : "s")}";
}
