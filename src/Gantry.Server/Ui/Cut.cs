namespace Gantry.Server.Ui;

/// <summary>What comes from images and from senders may be as long as it likes; a page shows the beginning.</summary>
internal static class Cut
{
    public static string To(string text, int most)
    {
        if (text.Length <= most) return text;
        // Not between the halves of a pair.
        var end = char.IsHighSurrogate(text[most - 2]) ? most - 2 : most - 1;
        return text[..end] + "…";
    }
}
