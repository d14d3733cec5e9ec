using System.IO.Enumeration;
using Gantry.Oci;

namespace Gantry.Core.Push;

/// <summary>A rule for tags, <c>repository:tag</c>, <c>*</c> standing for any characters in either part.</summary>
internal sealed record TagPattern(string Repository, string Tag)
{
    public static TagPattern? TryParse(string text) =>
        text.Split(':') is [{ Length: > 0 } repository, { Length: > 0 } tag] ? new(repository, tag) : null;

    public bool Matches(RepositoryName repository, TagName tag) =>
        FileSystemName.MatchesSimpleExpression(Repository, repository.ToString(), ignoreCase: false)
        && FileSystemName.MatchesSimpleExpression(Tag, tag.ToString(), ignoreCase: false);

    public override string ToString() => $"{Repository}:{Tag}";
}
