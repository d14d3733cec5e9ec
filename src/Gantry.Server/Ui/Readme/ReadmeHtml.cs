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

    /// <summary>Characters of HTML: a table repeats what was typed once. It bounds the memory of a page.</summary>
    private const int MostWritten = 512 * 1024;

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .DisableHtml().UsePipeTables(new PipeTableOptions { UseHeaderForColumnCount = true })
        .UseEmphasisExtras(EmphasisExtraOptions.Strikethrough).UseAutoLinks().UseTaskLists().Build();

    /// <param name="markdown">Of at most 64 KiB.</param>
    public static string Of(string markdown)
    {
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

    private static bool IsTooMuch(string markdown)
    {
        var (here, all) = (0, 0);
        foreach (var line in markdown.AsSpan().EnumerateLines())
        {
            if (line.IsWhiteSpace()) here = 0;
            foreach (var c in line)
            {
                if (c is not ('[' or '*' or '_' or '~' or '>')) continue;
                here++;
                all++;
            }

            if (here > MostOpeners || all > MostOpenersInAll) return true;
        }

        return false;
    }
}
