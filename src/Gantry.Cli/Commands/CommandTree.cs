using System.CommandLine;
using System.CommandLine.Help;
using Gantry.Cli.Completion;
using Gantry.Cli.Help;
using Gantry.Cli.Output;

namespace Gantry.Cli.Commands;

/// <summary>All commands, in the order of the help: pull and look, make use of it, move it, sign in.</summary>
internal static class CommandTree
{
    public static RootCommand Create(Screen screen)
    {
        var root = new RootCommand("Pull, run, copy and look at container images.")
        {
            PullCommand.Create(screen),
            ImagesCommand.Create(screen),
            InspectCommand.Create(screen),
            HistoryCommand.Create(screen),
            TagsCommand.Create(screen),
            RmiCommand.Create(screen),
            PruneCommand.Create(screen),
            SettleCommand.Create(screen),
            RunCommand.Create(screen),
            UnpackCommand.Create(screen),
            ExportCommand.Create(screen),
            BundleCommand.Create(screen),
            PushCommand.Create(screen),
            CopyCommand.Create(screen),
            SaveCommand.Create(screen),
            LoadCommand.Create(screen),
            LoginCommand.Create(screen),
            LogoutCommand.Create(screen),
        };
        root.Add(CompletionCommand.Create(screen, root));
        foreach (var option in GlobalOptions.All) root.Add(option);
        foreach (var help in root.Options.OfType<HelpOption>()) (help.Action, help.Description) = (new HelpPage(screen), "Show this page.");
        foreach (var version in root.Options.OfType<VersionOption>()) version.Description = "Show the version.";
        return root;
    }
}
