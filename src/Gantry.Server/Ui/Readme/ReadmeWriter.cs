using System.Globalization;
using System.Text;
using Markdig.Extensions.Tables;
using Markdig.Syntax;

namespace Gantry.Server.Ui;

/// <summary>
/// Writes the tree of a README as HTML. These are all elements there can be: h3 to h6, p, ul, ol, li, blockquote, pre, code, hr, br, em, strong, del, a,
/// div, table, caption, thead, tbody, tr, th, td. Their attributes are constants, but for the number a list starts with and the address of a
/// link (<see cref="ReadmeLink"/>). What it does not know is left out, with all that is in it.
/// </summary>
/// <param name="most">Characters to write; what is longer is no README.</param>
internal sealed partial class ReadmeWriter(int most)
{
    private readonly StringBuilder _html = new();

    private bool IsFull => _html.Length > most;

    /// <summary>Null: it would be longer than it may be.</summary>
    public string? Write(MarkdownDocument document)
    {
        WriteBlocks(document);
        return IsFull ? null : _html.ToString();
    }

    /// <summary>For what cannot be read as Markdown.</summary>
    public static string AsTyped(string markdown) => $"<pre tabindex=\"0\"><code>{Encode(markdown)}</code></pre>";

    private void WriteBlocks(ContainerBlock blocks)
    {
        foreach (var block in blocks)
        {
            if (IsFull) return;
            WriteBlock(block);
        }
    }

    private void WriteBlock(Block block)
    {
        switch (block)
        {
            case HeadingBlock heading:
                // Below the page's own: h1 is the repository's name, h2 says that this is the README.
                var level = (char)('0' + Math.Min(heading.Level + 2, 6));
                _html.Append("<h").Append(level).Append('>');
                WriteInlines(heading.Inline);
                _html.Append("</h").Append(level).Append(">\n");
                break;
            case ParagraphBlock paragraph:
                Element("p", () => WriteInlines(paragraph.Inline));
                break;
            case CodeBlock code:
                _html.Append("<pre tabindex=\"0\"><code>");
                for (var line = 0; line < code.Lines.Count; line++) Text(code.Lines.Lines[line].ToString()).Append('\n');
                _html.Append("</code></pre>\n");
                break;
            case QuoteBlock quote:
                Element("blockquote", () => WriteBlocks(quote));
                break;
            case ListBlock list:
                WriteList(list);
                break;
            case ThematicBreakBlock:
                _html.Append("<hr>\n");
                break;
            case Table table:
                WriteTable(table);
                break;
        }
    }

    private void WriteList(ListBlock list)
    {
        var name = list.IsOrdered ? "ol" : "ul";
        _html.Append('<').Append(name);
        if (list.IsOrdered && int.TryParse(list.OrderedStart, NumberStyles.None, CultureInfo.InvariantCulture, out var start) && start != 1)
            _html.Append(CultureInfo.InvariantCulture, $" start=\"{start}\"");
        _html.Append(">\n");
        foreach (var item in list.OfType<ListItemBlock>())
        {
            if (IsFull) return;
            Element("li", () =>
            {
                // Lines of a list without space between them are no paragraphs.
                if (!list.IsLoose && item is [ParagraphBlock only, ..])
                {
                    WriteInlines(only.Inline);
                    foreach (var more in item.Skip(1)) WriteBlock(more);
                }
                else
                {
                    WriteBlocks(item);
                }
            });
        }

        _html.Append("</").Append(name).Append(">\n");
    }

    private void WriteTable(Table table)
    {
        _html.Append("<div class=\"listing\" tabindex=\"0\"><table><caption class=\"hidden\">A table of the README</caption>\n");
        var isHead = true;
        foreach (var row in table.OfType<TableRow>())
        {
            if (IsFull) return;
            var (part, open, close) = row.IsHeader ? ("thead", "<th scope=\"col\">", "</th>") : ("tbody", "<td>", "</td>");
            if (row.IsHeader || isHead) _html.Append('<').Append(part).Append('>');
            isHead = row.IsHeader;
            Element("tr", () =>
            {
                foreach (var cell in row.OfType<TableCell>())
                {
                    if (IsFull) return;
                    _html.Append(open);
                    foreach (var line in cell.OfType<LeafBlock>()) WriteInlines(line.Inline);
                    _html.Append(close);
                }
            });
            if (isHead) _html.Append("</thead>");
        }

        _html.Append(isHead ? "</table></div>\n" : "</tbody></table></div>\n");
    }

    private void Element(string name, Action content)
    {
        _html.Append('<').Append(name).Append('>');
        content();
        _html.Append("</").Append(name).Append(">\n");
    }
}
