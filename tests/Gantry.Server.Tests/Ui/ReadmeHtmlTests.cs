using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Gantry.Server.Ui;

namespace Gantry.Server.Tests.Ui;

/// <summary>What a README becomes: whatever was written, nothing but the elements and attributes that are listed here.</summary>
public sealed partial class ReadmeHtmlTests
{
    private static readonly HashSet<string> Elements = new(
        ["h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "del", "a", "div", "table", "caption", "thead", "tbody", "tr", "th", "td"],
        StringComparer.Ordinal);

    // Whole attributes but for these two, whose values are checked for themselves.
    private static readonly HashSet<string> Constants = new(
        ["tabindex=\"0\"", "class=\"listing\"", "class=\"hidden\"", "class=\"badge\"", "scope=\"col\"", "rel=\"nofollow noopener ugc\""], StringComparer.Ordinal);

    // What attackers, and Markdown itself, are made of.
    private static readonly string[] Pieces =
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<a href=\"javascript:alert(1)\">x</a>", "<iframe srcdoc='<script>'>", "<!--", "-->",
        "<style>*{}</style>", "<base href=//evil.example>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)", "[x](vbscript:x)", "![x](javascript:alert(1))", "![x](data:image/svg+xml,<svg/onload=alert(1)>)", "[x](//evil.example)",
        "[x](accounts)", "[x](#id)", "[x](https://a.example/\"onmouseover=\"alert(1))", "[x](<https://a.example/ x>)", "[x](https://good.example@evil.example)", "[![x](https://a.example)](https://b.example)",
        "<javascript:alert(1)>", "<https://a.example/?q=\"'>", "<a@b.example>", "[x]: javascript:alert(1)\n[x]\n", "[y]: https://a.example \"title\\\" onclick=x\"\n[y]\n", "www.a.example", "https://a.example/<b>",
        "&lt;script&gt;", "&#60;script&#62;", "\0", "\u202e", "\ud83d\ude00", "# a\n", "###### b\n", "a\n===\n", "- a\n", "  - b\n", "1) a\n", "999999999. a\n", "- [x] done\n", "> q\n", "```js \"onclick=alert(1)\nx\n```\n", "    code\n",
        "| a | b |\n|---|:-:|\n| <b> | [x](javascript:1) |\n", "`<b>`", "``", "**", "__", "*", "_", "~~", "[", "]", "(", ")", "![", "|", "\\", "\n", "\n\n", "---\n", "<", ">", "\"", "'", "{#id .class onclick=x}", ":-)", "[^1]", "$x$", "==m==",
    ];

    [Theory]
    [InlineData("# A\n\nb *c* **d** ~~e~~ `f`", "<h3>A</h3>\n<p>b <em>c</em> <strong>d</strong> <del>e</del> <code>f</code></p>\n")]
    [InlineData("- a\n- b\n  1. c", "<ul>\n<li>a</li>\n<li>b<ol>\n<li>c</li>\n</ol>\n</li>\n</ul>\n")]
    [InlineData("3. c", "<ol start=\"3\">\n<li>c</li>\n</ol>\n")]
    [InlineData("```sh\na <b>\n```", "<pre tabindex=\"0\"><code>a &lt;b&gt;\n</code></pre>\n")]
    [InlineData("[x](https://a.example/b?c=d&e=f)", "<p><a rel=\"nofollow noopener ugc\" href=\"https://a.example/b?c=d&amp;e=f\">x</a></p>\n")]
    [InlineData("![a picture](https://a.example/b.png)", "<p><a class=\"badge\" rel=\"nofollow noopener ugc\" href=\"https://a.example/b.png\">a picture</a></p>\n")]
    [InlineData("[![ci](https://a.example/b.svg)](https://a.example/)", "<p><a rel=\"nofollow noopener ugc\" href=\"https://a.example/\">ci</a></p>\n")]
    [InlineData("> a\n\n---", "<blockquote><p>a</p>\n</blockquote>\n<hr>\n")]
    [InlineData("<b>x</b> [y](javascript:z) [w](accounts)", "<p>&lt;b&gt;x&lt;/b&gt; y w</p>\n")]
    [InlineData("|a|b|\n|-|-|\n|c|d|", "<div class=\"listing\" tabindex=\"0\"><table><caption class=\"hidden\">A table of the README</caption>\n<thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr>\n</thead><tbody><tr><td>c</td><td>d</td></tr>\n</tbody></table></div>\n")]
    public void Of_WhatPeopleWrite_IsWhatTheyMean(string markdown, string html) => Assert.Equal(html, ReadmeHtml.Of(markdown));

    [Fact]
    public void Of_EachHostilePiece_IsHarmless() => Assert.All(Pieces, piece => AssertHarmless(ReadmeHtml.Of(piece)));

    [Fact]
    public void Of_AnyMixtureOfHostilePieces_IsHarmless() => Prop.ForAll(
        Gen.Elements(Pieces).ListOf().Select(string.Concat).ToArbitrary(), markdown => AssertHarmless(ReadmeHtml.Of(markdown)))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(1500).WithEndSize(60));

    [Fact]
    public void Of_AnyText_IsHarmless_AndShowsItsLetters() => Prop.ForAll<NonNull<string>, string>((text, word) =>
    {
        AssertHarmless(ReadmeHtml.Of(text.Get));
        var letters = string.Concat((word ?? "").Where(char.IsAsciiLetter));
        Assert.Contains(letters, ReadmeHtml.Of($"{letters}\n\n{text.Get}"), StringComparison.Ordinal);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("[")]
    [InlineData("![")]
    [InlineData("[](")]
    [InlineData("[a](b")]
    [InlineData("*a ")]
    [InlineData("_a *b ")]
    [InlineData("> ")]
    [InlineData("- \n")]
    [InlineData("a|")]
    [InlineData("*[a](x)*")]
    [InlineData("[a]: b\n\n")]
    [InlineData("`")]
    [InlineData("<a@b")]
    [InlineData("|a")]
    [InlineData("a|b\n-|-\n|\n\n")]
    [InlineData("a\n=\n")]
    public void Of_TooMuch_IsHarmless_AndBounded(string piece)
    {
        var markdown = string.Concat(Enumerable.Repeat(piece, 64 * 1024 / piece.Length));
        var html = ReadmeHtml.Of(markdown);
        AssertHarmless(html);
        Assert.InRange(html.Length, 0, 1024 * 1024);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Of_ATableThatWouldBeHuge_IsShownAsTyped(string end)
    {
        var (head, rule) = (string.Concat(Enumerable.Repeat("a|", 9_000)), string.Concat(Enumerable.Repeat("-|", 9_000)));
        Assert.StartsWith("<pre", ReadmeHtml.Of($"|{head}{end}|{rule}{end}{string.Concat(Enumerable.Repeat($"|{end}", 9_000))}"), StringComparison.Ordinal);
        // It is one to the parser: a line of spaces of another kind is not empty, and some ends of lines are none to it.
        foreach (var between in new[] { "\u00a0\n", "\u2028\u2028", "\f\f", "\u0085\n", "\v\n" })
            AssertHarmless(ReadmeHtml.Of($"|{head}\n|{rule}\n{string.Concat(Enumerable.Repeat($"|a{between}", 5_000))}"));
    }

    [Theory]
    [InlineData("https://a.example", "https://a.example/")]
    [InlineData("HTTP://A.example/x", "http://a.example/x")]
    [InlineData("mailto:a@b.example", "mailto:a@b.example")]
    public void Link_ToTheWeb_IsKept(string url, string address) => Assert.Equal(address, ReadmeLink.Of(url));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("accounts")]
    [InlineData("/signout")]
    [InlineData("//evil.example")]
    [InlineData("#x")]
    [InlineData("https:/a.example")]
    [InlineData("https:\\\\a.example")]
    [InlineData("https://a:b@c.example")]
    [InlineData("javascript://a.example/%0aalert(1)")]
    [InlineData(" javascript:alert(1)")]
    [InlineData("java\nscript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://a.example")]
    [InlineData("https://a.example/\u0001")]
    public void Link_ToAnythingElse_IsNone(string? url) => Assert.Null(ReadmeLink.Of(url));

    // Read by other rules than those it was written by: a small reader of HTML that knows tags, attributes and text, and nothing to be left over.
    private static void AssertHarmless(string html)
    {
        var open = new Stack<string>();
        var rest = Token().Replace(html, token =>
        {
            if (!token.Groups["name"].Success) return "";
            var name = token.Groups["name"].Value;
            Assert.Contains(name, Elements);
            if (token.Groups["end"].Length > 0)
            {
                Assert.Equal(name, open.Pop());
                Assert.Equal("", token.Groups["attributes"].Value);
                return "";
            }

            if (name is not ("hr" or "br")) open.Push(name);
            foreach (Match attribute in Attribute().Matches(token.Groups["attributes"].Value))
            {
                var text = attribute.Value.Trim();
                if (text.StartsWith("href=", StringComparison.Ordinal)) Assert.Matches("^href=\"(https?://|mailto:)[^\"<>\\s]*\"$", text);
                else if (text.StartsWith("start=", StringComparison.Ordinal)) Assert.Matches("^start=\"[0-9]{1,9}\"$", text);
                else Assert.Contains(text, Constants);
            }

            return "";
        });
        Assert.Equal("", rest);
        Assert.Empty(open);
    }

    [GeneratedRegex("<(?<end>/?)(?<name>[a-z0-9]+)(?<attributes>(?: [a-z]+=\"[^\"<>]*\")*)>|[^<>\"']+", RegexOptions.ExplicitCapture)]
    private static partial Regex Token();

    [GeneratedRegex(" [a-z]+=\"[^\"]*\"")]
    private static partial Regex Attribute();
}
