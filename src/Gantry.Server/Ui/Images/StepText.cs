namespace Gantry.Server.Ui;

/// <summary>A step of a build without what every builder puts around it; the whole stands in the config.</summary>
internal static class StepText
{
    private const string Shell = "/bin/sh -c ", Nothing = "#(nop)", BuildKit = "# buildkit";

    public static string Of(string step)
    {
        var text = step.Trim();
        if (text.EndsWith(BuildKit, StringComparison.Ordinal)) text = text[..^BuildKit.Length].TrimEnd();
        if (!text.StartsWith(Shell, StringComparison.Ordinal)) return text;
        text = text[Shell.Length..].TrimStart();
        return text.StartsWith(Nothing, StringComparison.Ordinal) ? text[Nothing.Length..].TrimStart() : $"RUN {text}";
    }
}
