using Markdig;
using Markdig.Extensions.EmphasisExtras;
using Markdig.Extensions.Tables;

namespace Gantry.Server.Ui;

/// <summary>
/// What somebody wrote in Markdown, as HTML that is safe on a page of ours. The parser takes no HTML; of the tree that it makes
/// <see cref="ReadmeWriter"/> writes what it knows, with elements and attributes of its own alone, and all text encoded. What
/// is too much is shown as it was typed.
/// </summary>
internal static class ReadmeHtml
{
    /// <summary>
    /// What opens a link or an emphasis is looked at again for what closes it: time goes by its square within a paragraph. So many
    /// cost a few milliseconds.
    /// </summary>
    private const int MostOpeners = 600, MostOpenersInAll = 6000;

    /// <summary>Rows of a table are filled up to the longest one: its columns, as often as it has lines.</summary>
    private const int MostCells = 10_000, MostCellsInAll = 30_000;

    private const int MostLines = 6000;

    /// <summary>Characters of HTML: a table repeats what was typed once. It bounds the memory of a page.</summary>
    private const int MostWritten = 512 * 1024;

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .DisableHtml().UsePipeTables(new PipeTableOptions { UseHeaderForColumnCount = true })
        .UseEmphasisExtras(EmphasisExtraOptions.Strikethrough).UseAutoLinks().UseTaskLists().Build();

    /// <param name="written">Of at most 64 KiB.</param>
    public static string Of(string written)
    {
        // The parser's lines and those that are counted here are the same ones.
        var markdown = written.ReplaceLineEndings("\n");
        if (IsTooMuch(markdown)) return ReadmeWriter.AsTyped(markdown);
        try
        {
            return new ReadmeWriter(MostWritten).Write(Markdown.Parse(markdown, Pipeline)) ?? ReadmeWriter.AsTyped(markdown);
        }
        catch (ArgumentException)
        {
            // Nested deeper than the parser goes; it has no other way to say so.
            return ReadmeWriter.AsTyped(markdown);
        }
    }

    /// <summary>Looks at it by paragraphs: lines up to one that is empty.</summary>
    private static bool IsTooMuch(string markdown)
    {
        var (lines, openers, allOpeners, height, widest, cells) = (0, 0, 0, 0, 0, 0);
        foreach (var line in markdown.AsSpan().EnumerateLines())
        {
            if (line.Trim(" \t").IsEmpty) (openers, cells, height, widest) = (0, cells + (height * widest), 0, 0);
            var here = line.Count('[') + line.Count('*') + line.Count('_') + line.Count('~') + line.Count('>');
            (lines, openers, allOpeners, height, widest) = (lines + 1, openers + here, allOpeners + here, height + 1, Math.Max(widest, line.Count('|')));
            if (lines > MostLines || openers > MostOpeners || allOpeners > MostOpenersInAll) return true;
            if ((long)height * widest > MostCells || cells > MostCellsInAll) return true;
        }

        return false;
    }
}
