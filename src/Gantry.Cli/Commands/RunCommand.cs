using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Cli.Running;
using Gantry.Engine;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Commands;

internal static class RunCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.Reference();
        var command = new Argument<string[]>("CMD") { Description = "Program and arguments instead of the image's command.", Arity = ArgumentArity.ZeroOrMore };
        var remove = new Option<bool>("--rm") { Description = "Remove the container when it ends." };
        var name = new Option<string?>("--name") { Description = "The container's name. Default: one is made up.", HelpName = "NAME" };
        var terminal = new Option<bool?>("--tty", "-t") { Description = "Give the process a terminal. Default: where standard input and output are one. --tty=false: never.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<bool>("--interactive", "-i") { Description = "Pass standard input on. Always so on a terminal; without it the input is empty." };
        var runtime = new Option<string?>("--runtime") { Description = "Runtime to use. Default: runc or crun, the first in PATH.", HelpName = "PROGRAM" };
        var flags = new Option<string[]>("--runtime-flag")
        {
            Description = "Option for the runtime itself, without its dashes, e.g. debug, or cgroup-manager=disabled for crun. May be given several times.", HelpName = "FLAG",
        };
        var pull = new Option<string>("--pull") { Description = "Whether to pull first: missing, always or never.", HelpName = "missing|always|never", DefaultValueFactory = _ => Pulls.Missing };
        pull.AcceptOnlyFromAmong(Pulls.Missing, Pulls.Always, Pulls.Never);
        var words = new ContainerWords();
        var page = new DocumentedCommand("run", "Run a command in a new container of an image.")
        {
            Details = """
                Pulls the image where the store does not have it, stacks its layers with a folder for changes on top, and hands them to runc or crun. Options stand before REF; what
                follows REF is the container's. The exit code is the command's own, or as docker's: 125 when gantry or the runtime fails, 126 when the command cannot be started,
                127 when there is none of that name. Signals are passed on.

                Without --rm what the container changed stays in ROOT/containers/NAME/bundle/upper until 'gantry prune'. The mount is seen by this container alone and ends with
                it. Without root the layers are unpacked into a tree of the container's own, and you are root in it.

                Network none has a loopback device alone; host is this machine's, with its resolv.conf. There are no port mappings and no limits of memory: use docker or podman for
                those.
                """,
            Examples =
            [
                ("gantry run --rm -it debian:12 bash", "a shell"),
                ("gantry run --rm -v ./src:/src:ro -w /src golang go vet ./...", "a tool on your files"),
                ("echo hi | gantry run --rm -i busybox cat", "in a pipe"),
                ("gantry run --rm --network host -e PORT=8080 app", "a service"),
            ],
            FailureCode = ExitCodes.RunFailed,
            Arguments = { reference, command },
            Options = { remove, name, terminal, input, pull, runtime, flags },
        };
        foreach (var option in words.All) page.Add(option);
        return page.Runs(screen, async (session, ct) =>
        {
            var parsed = session.Parsed;
            var hasTerminal = parsed.GetResult(terminal) is { Implicit: false } ? parsed.GetValue(terminal) ?? true : !Console.IsInputRedirected && !Console.IsOutputRedirected;
            if (hasTerminal && Console.IsInputRedirected) throw new EngineException(EngineFault.Usage, "-t needs a terminal on standard input");
            var typed = parsed.GetValue(command) is { Length: > 0 } given ? given : null;
            var options = words.Read(parsed) with { Terminal = hasTerminal, Command = typed };
            var program = RuntimeProgram.Find(parsed.GetValue(runtime));
            var store = await session.OpenStoreAsync(ct);
            var image = await LocalNames.OfAsync(store, parsed.GetValue(reference)!, ct);
            var stored = await Pulls.EnsureAsync(session, store, image, ct, parsed.GetValue(pull)!);
            session.EndProgress();

            using var folder = ContainerFolder.Create(store.Root, parsed.GetValue(name));
            var isDone = false;
            try
            {
                var run = new ContainerRun(program, [.. (parsed.GetValue(flags) ?? []).Select(flag => $"--{flag}")], folder, passesInput: hasTerminal || parsed.GetValue(input));
                options = options with { HostName = options.HostName ?? (options.Network == BundleNetwork.Host ? Environment.MachineName : folder.Name) };
                options = NetworkFiles.Add(options, folder.Path);
                if (options.Rootless is null) await ImageBundle.UseStackedAsync(store, stored, folder.BundlePath, options, () => run.Run(ct), ct);
                else
                {
                    await ImageBundle.MakeFlatAsync(new FlatUnpacker(store, null, session.PullOptions), image, folder.BundlePath, options, null, ct);
                    run.Run(ct);
                }

                isDone = true;
                return run.ExitCode;
            }
            finally
            {
                // One that never ran is of no use to anybody.
                if (parsed.GetValue(remove) || !isDone) folder.Remove();
            }
        });
    }
}
