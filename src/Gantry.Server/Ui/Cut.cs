namespace Gantry.Server.Ui;

/// <summary>What comes from images and from senders may be as long as it likes; a page shows the beginning, and all that is hidden in it.</summary>
internal static class Cut
{
    public static string To(string text, int most) => ShownText.Of(text.Length <= most ? text : ShownText.Start(text, most - 1) + "…");
}
