using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class LoginCommand
{
    public static Command Create(Screen screen)
    {
        var registry = new Argument<string?>("REGISTRY") { Description = "Host and port. Default: docker.io.", Arity = ArgumentArity.ZeroOrOne };
        var user = new Option<string?>("--username", "-u") { Description = "Name; asked for otherwise.", HelpName = "NAME" };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from standard input." };
        return new DocumentedCommand("login", "Sign in to a registry and keep the credentials.")
        {
            Details = """
                Asks the registry first; what it does not accept is not kept. Credentials go where docker keeps them: to the credential helper that its config.json names
                (credHelpers, credsStore), else into that file, which only you can read. docker and podman find them there, and gantry finds theirs.

                There is no option for the password itself: the list of processes and the shell's history would show it.
                """,
            Examples =
            [
                ("gantry login registry.example.com", "asks for name and password"),
                ("gantry login -u robot --password-stdin localhost:5000 <token", "in a script"),
            ],
            Arguments = { registry },
            Options = { user, fromInput },
        }.Runs(screen, async (session, ct) =>
        {
            var host = Hosts.Parse(session.Parsed.GetValue(registry));
            var name = session.Parsed.GetValue(user);
            string? password;
            if (session.Parsed.GetValue(fromInput))
            {
                if (name is null) throw new EngineException(EngineFault.Usage, "--password-stdin needs --username");
                password = await Prompt.ReadInputAsync(ct);
            }
            else
            {
                name ??= await Prompt.AskAsync(screen, "Username: ", isSecret: false, ct);
                password = await Prompt.AskAsync(screen, "Password: ", isSecret: true, ct);
            }

            if (name.Length == 0 || password.Length == 0) throw new EngineException(EngineFault.Usage, "a name and a password are needed");
            var place = await session.Credentials.LoginAsync(session.OpenRegistries(), host, Credential.OfPassword(name, password), ct);
            if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("login", host, Path: place)));
            else screen.Result($"Login succeeded: {host}, kept in {Shown.Text(place)}");
            return ExitCodes.Success;
        });
    }
}

/// <summary>A registry's name as people type it.</summary>
internal static class Hosts
{
    public static string Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return ImageName.DockerHub;
        // Copied from a browser, as a rule.
        foreach (var scheme in (string[])["https://", "http://"]) if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) text = text[scheme.Length..];
        return ImageName.TryParseHost(text.TrimEnd('/'), out var host) ? host
            : throw new EngineException(EngineFault.Usage, $"'{Shown.Text(text)}' is not a registry, like ghcr.io or localhost:5000");
    }
}
