using System.CommandLine;

namespace Gantry.Cli;

/// <summary>Arguments and options that several commands have.</summary>
internal static class Words
{
    public static Argument<string> Reference(string description = "Image: debian, ghcr.io/owner/app:1.0, localhost:5000/app@sha256:...") =>
        new("REF") { Description = description };

    public static Argument<string[]> References(ArgumentArity arity, string description) => new("REF") { Description = description, Arity = arity };

    /// <summary>Local names are completed for it.</summary>
    public static bool IsLocalImage(Argument argument) => argument.Name is "REF" or "SOURCE";
}
