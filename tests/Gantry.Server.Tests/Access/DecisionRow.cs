using System.Text.RegularExpressions;

namespace Gantry.Server.Tests.Access;

/// <summary>One line of <c>decisions.txt</c>, whose head says what the words mean.</summary>
internal sealed partial record DecisionRow(
    string Setting, string Actor, string Credential, string Visibility, string Rule, string Repository, string Action, string Outcome)
{
    /// <summary>All lines that decide something, each as its words with one space between them.</summary>
    public static IEnumerable<string> ReadAll()
    {
        using var stream = typeof(DecisionRow).Assembly.GetManifestResourceStream("decisions.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#') yield return Spaces().Replace(line.Trim(), " ");
        }
    }

    public static DecisionRow Parse(string line) => line.Split(' ', 8) is
        [var setting, var actor, var credential, var visibility, var rule, var repository, var action, var outcome]
        ? new DecisionRow(setting, actor, credential, visibility, rule, repository, action, outcome)
        : throw new FormatException($"eight columns make a decision: {line}");

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
