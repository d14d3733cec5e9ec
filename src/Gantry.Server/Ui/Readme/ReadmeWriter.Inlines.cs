using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Markdig.Extensions.TaskLists;
using Markdig.Syntax.Inlines;

namespace Gantry.Server.Ui;

internal sealed partial class ReadmeWriter
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    // One link is not within another.
    private bool _isInLink;

    private void WriteInlines(ContainerInline? inlines)
    {
        for (var inline = inlines?.FirstChild; inline is not null && !IsFull; inline = inline.NextSibling) WriteInline(inline);
    }

    private void WriteInline(Inline inline)
    {
        switch (inline)
        {
            case LiteralInline literal:
                Text(literal.Content.ToString());
                break;
            case HtmlEntityInline entity:
                Text(entity.Transcoded.ToString());
                break;
            case CodeInline code:
                _html.Append("<code>");
                Text(code.Content).Append("</code>");
                break;
            case LineBreakInline line:
                _html.Append(line.IsHard ? "<br>\n" : "\n");
                break;
            case EmphasisInline emphasis:
                var name = emphasis.DelimiterChar == '~' ? "del" : emphasis.DelimiterCount > 1 ? "strong" : "em";
                _html.Append('<').Append(name).Append('>');
                WriteInlines(emphasis);
                _html.Append("</").Append(name).Append('>');
                break;
            case AutolinkInline link:
                WriteLink(link.IsEmail ? $"mailto:{link.Url}" : link.Url, isPicture: false, () => Text(link.Url));
                break;
            case LinkInline link:
                WriteLink(link.Url, link.IsImage, () => WriteInlines(link));
                break;
            case TaskList task:
                _html.Append(task.Checked ? "☑" : "☐");
                break;
            case ContainerInline others:
                WriteInlines(others);
                break;
        }
    }

    /// <summary>A picture of somewhere else would tell there who looks: it is a link to it. What no link may lead to is text alone.</summary>
    private void WriteLink(string? url, bool isPicture, Action content)
    {
        if (_isInLink || ReadmeLink.Of(url) is not { } address)
        {
            content();
            return;
        }

        _html.Append(isPicture ? "<a class=\"badge\" rel=\"nofollow noopener ugc\" href=\"" : "<a rel=\"nofollow noopener ugc\" href=\"");
        _html.Append(Encoder.Encode(address)).Append("\">");
        var start = _html.Length;
        _isInLink = true;
        content();
        _isInLink = false;
        // A link without a text cannot be heard.
        if (_html.Length == start) Text(isPicture ? "picture" : address);
        _html.Append("</a>");
    }

    private StringBuilder Text(string text) => _html.Append(Encode(text));

    private static string Encode(string text) => Encoder.Encode(string.Concat(text.Where(c => !TurnsText(c))));

    /// <summary>Marks that turn what is around them the other way: for pretending to be something else.</summary>
    private static bool TurnsText(char c) => c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
