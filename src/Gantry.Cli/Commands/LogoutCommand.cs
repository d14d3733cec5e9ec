using System.CommandLine;
using Gantry.Cli.Output;

namespace Gantry.Cli.Commands;

internal static class LogoutCommand
{
    public static Command Create(Screen screen)
    {
        var registry = new Argument<string?>("REGISTRY") { Description = "Host and port. Default: docker.io.", Arity = ArgumentArity.ZeroOrOne };
        return new DocumentedCommand("logout", "Forget the credentials of a registry.")
        {
            Details = "Wherever they are kept: docker's config.json, podman's auth.json, credential helpers.",
            Examples = [("gantry logout registry.example.com", "that one"), ("gantry logout", "docker.io")],
            Arguments = { registry },
        }.Runs(screen, async (session, ct) =>
        {
            var host = Hosts.Parse(session.Parsed.GetValue(registry));
            var places = await session.Credentials.LogoutAsync(host, ct);
            if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("logout", host, Path: string.Join(", ", places))));
            else screen.Result(places.Count == 0 ? $"Not logged in to {host}" : $"Removed the login of {host} from {Shown.Text(string.Join(", ", places))}");
            return ExitCodes.Success;
        });
    }
}
