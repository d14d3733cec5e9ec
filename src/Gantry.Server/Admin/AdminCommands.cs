using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Oci;

namespace Gantry.Server.Admin;

/// <summary>
/// <c>gantry-server admin</c>: what <c>/api/v1</c> does, for whoever can read the server's configuration and needs no
/// account. Works beside a running server, which knows of each change at once.
/// </summary>
internal static class AdminCommands
{
    public static Command Create(IReadOnlyList<string> settings)
    {
        var verbs = new AdminVerbs(settings);
        return new Command("admin", "Administer a registry.")
        {
            AccountCommands.ResetPassword(verbs),
            AccountCommands.Create(verbs),
            NamespaceCommands.Create(verbs),
            MemberCommands.Create(verbs),
            RuleCommands.Create(verbs),
            RobotCommands.Create(verbs),
            AccessTokenCommands.Create(verbs),
            TrustCommands.Create(verbs),
            ExplainCommand.Create(verbs),
            EventsCommand.Create(verbs),
            RestoreCommands.Create(verbs),
            QuarantinedCommand.Create(verbs),
        };
    }
}

/// <summary>Makes commands whose work gets the registry's services, with its database up to date.</summary>
internal sealed class AdminVerbs(IReadOnlyList<string> settings)
{
    // Scripts read what a verb prints: TOKEN=$(gantry-server admin token create ...). Each can be set otherwise.
    private static readonly string[] Quiet = ["--Logging:Console:LogToStandardErrorThreshold=Trace", "--Logging:LogLevel:Default=Warning"];

    public Command Verb(
        string name, string description, Func<ParseResult, IServiceProvider, CancellationToken, Task<int>> work, params Symbol[] symbols)
    {
        // Settings were taken out before; what is left over is a typing error.
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            if (symbol is Option option) command.Add(option);
        }

        command.SetAction((result, _) => Verbs.RunAsync([.. Quiet, .. settings], async (server, stop) =>
        {
            await server.StartDatabaseAsync(beside: true, stop);
            return await work(result, server.App.Services, stop);
        }));
        return command;
    }

    /// <summary>Prints rows in columns as wide as their widest value.</summary>
    public static int Print(IReadOnlyList<string[]> rows)
    {
        if (rows.Count == 0) return Verbs.Ok;
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
            Console.Out.WriteLine(string.Join("  ", row.Select((text, column) => text.PadRight(widths[column]))).TrimEnd());
        return Verbs.Ok;
    }

    public static int Print(string line)
    {
        Console.Out.WriteLine(line);
        return Verbs.Ok;
    }

    /// <summary>Success where something changed; otherwise says what was not there.</summary>
    public static int Done(bool changed, string otherwise) => changed ? Verbs.Ok : Verbs.Fail(otherwise);
}

/// <summary>Arguments that are parsed where they come in.</summary>
internal static class AdminArguments
{
    public static Argument<AccountName> Account(string name = "account") =>
        Of(name, "the account's name", text => AccountName.TryParse(text, out var parsed) ? parsed : (AccountName?)null, "an account's name");

    public static Argument<NamespaceName> Namespace() =>
        Of("namespace", "the namespace", text => NamespaceName.TryParse(text, out var parsed) ? parsed : (NamespaceName?)null, "a namespace's name");

    public static Argument<RepositoryName> Repository() =>
        Of("repository", "the repository", text => RepositoryName.TryParse(text, out var parsed) ? parsed : (RepositoryName?)null, "a repository's name");

    public static Argument<Digest> Digest() =>
        Of("digest", "sha256:...", text => Oci.Digest.TryParse(text, out var parsed) ? parsed : (Digest?)null, "a digest");

    public static Argument<NamespaceRole> Role() =>
        Of("role", "reader, writer or maintainer", ParseRole, "reader, writer or maintainer");

    public static NamespaceRole? ParseRole(string text) => text switch
    {
        "reader" => NamespaceRole.Reader,
        "writer" => NamespaceRole.Writer,
        "maintainer" => NamespaceRole.Maintainer,
        _ => null,
    };

    /// <summary>An argument that <paramref name="parse"/> reads; null from it is a fault.</summary>
    public static Argument<T> Of<T>(string name, string description, Func<string, T?> parse, string expected)
        where T : struct => new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (parse(text) is { } value) return value;
                result.AddError($"'{text}' is not {expected}");
                return default;
            },
        };
}
