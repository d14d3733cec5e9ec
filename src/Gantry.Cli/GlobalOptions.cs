using System.CommandLine;
using Gantry.Engine;
using Gantry.Engine.Images;

namespace Gantry.Cli;

/// <summary>What every command takes, before or after its name.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string> Root = new("--root")
    {
        Description = "Folder of the store.", HelpName = "DIR", Recursive = true, DefaultValueFactory = _ => ImageStore.DefaultRoot,
    };

    public static readonly Option<string?> Platform = new("--platform")
    {
        Description = "Platform to choose of an image for several, e.g. linux/arm64 or arm/v7. Default: this machine's.", HelpName = "OS/ARCH[/VARIANT]", Recursive = true,
    };

    public static readonly Option<bool> PlainHttp = new("--plain-http")
    {
        Description = "Talk HTTP without TLS to registries. Not needed for loopback addresses.", Recursive = true,
    };

    public static readonly Option<string?> TlsCa = new("--tls-ca")
    {
        Description = "PEM file of certificates to trust beside the system's.", HelpName = "FILE", Recursive = true,
    };

    public static readonly Option<bool> TlsSkipVerify = new("--tls-skip-verify")
    {
        Description = "Do not look at certificates. For tests of a registry.", Recursive = true,
    };

    public static readonly Option<string?> AuthFile = new("--authfile")
    {
        Description = "File of credentials instead of docker's and podman's. Also $REGISTRY_AUTH_FILE.", HelpName = "FILE", Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "One JSON object a line on standard output: progress, results and errors.", Recursive = true,
    };

    public static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "No progress; of lists the names alone.", Recursive = true };

    public static readonly IReadOnlyList<Option> All = [Root, Platform, PlainHttp, TlsCa, TlsSkipVerify, AuthFile, Json, Quiet];

    public static ImagePlatform? PlatformOf(ParseResult parsed)
    {
        var text = parsed.GetValue(Platform);
        if (text is null) return null;
        return ImagePlatform.TryParse(text, out var platform) ? platform
            : throw new EngineException(EngineFault.Usage, $"'{Output.Shown.Text(text)}' is not a platform, like linux/amd64, linux/arm/v7 or arm64");
    }
}
