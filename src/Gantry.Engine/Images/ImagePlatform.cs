using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>
/// A platform in its one normal form (lowercase, Go's names, no variant where it is the architecture's basic one), so that equal platforms are equal values.
/// Written as <c>os/architecture[/variant]</c>, on Windows with its version: <c>windows(10.0.20348.1)/amd64</c>.
/// </summary>
public sealed partial record ImagePlatform
{
    private ImagePlatform(string os, string architecture, string? variant, string? osVersion) =>
        (Os, Architecture, Variant, OsVersion) = (os, architecture, variant, osVersion);

    public string Os { get; }

    public string Architecture { get; }

    /// <summary>Null for the basic one: <c>v8</c> of arm64, <c>v1</c> of amd64.</summary>
    public string? Variant { get; }

    /// <summary>Of Windows; null otherwise.</summary>
    public string? OsVersion { get; }

    /// <summary>What a document says, normalised. Any words are allowed there; null where it says neither system nor architecture.</summary>
    public static ImagePlatform? Of(Platform? platform) =>
        platform is null or { Os: "", Architecture: "" } ? null : Of(platform.Os, platform.Architecture, platform.Variant, platform.OsVersion);

    public static ImagePlatform Of(string os, string architecture, string? variant = null, string? osVersion = null)
    {
        os = os.ToLowerInvariant() is "macos" ? "darwin" : os.ToLowerInvariant();
        (architecture, variant) = Normalise(architecture.ToLowerInvariant(), variant?.ToLowerInvariant() ?? "");
        return new ImagePlatform(os, architecture, variant.Length == 0 ? null : variant, string.IsNullOrEmpty(osVersion) ? null : osVersion);
    }

    /// <summary>
    /// Reads what a user writes: <c>linux/arm64</c>, <c>linux/arm/v7</c>, <c>arm64</c> (of this system), <c>linux</c> (of this architecture).
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImagePlatform? platform)
    {
        platform = null;
        var match = text is { Length: <= 128 } ? Grammar().Match(text) : Match.Empty;
        if (!match.Success) return false;

        var (first, second) = (match.Groups["first"].Value, match.Groups["second"]);
        var version = match.Groups["version"].Value;
        if (second.Success) platform = Of(first, second.Value, match.Groups["variant"].Value, version);
        else if (IsSystem(first)) platform = Of(first, HostPlatform.Current.Architecture, HostPlatform.Current.Variant, version);
        else if (version.Length == 0) platform = Of(HostPlatform.Current.Os, first);
        return platform is not null;
    }

    public override string ToString() =>
        Os + (OsVersion is null ? "" : $"({OsVersion})") + "/" + Architecture + (Variant is null ? "" : $"/{Variant}");

    private static (string Architecture, string Variant) Normalise(string architecture, string variant) => architecture switch
    {
        "x86_64" or "x86-64" or "amd64" => ("amd64", variant is "v1" ? "" : variant),
        "i386" => ("386", ""),
        "aarch64" or "arm64" => ("arm64", variant is "8" or "v8" or "v8.0" ? "" : variant is "9" or "9.0" or "v9.0" ? "v9" : variant),
        "armhf" => ("arm", "v7"),
        "armel" => ("arm", "v6"),
        "arm" => ("arm", variant.Length == 0 ? "v7" : variant is "5" or "6" or "7" or "8" ? $"v{variant}" : variant),
        _ => (architecture, variant),
    };

    private static bool IsSystem(string word) => word.ToLowerInvariant() is "linux" or "windows" or "darwin" or "macos" or "freebsd" or "netbsd"
        or "openbsd" or "dragonfly" or "solaris" or "illumos" or "aix" or "android" or "ios" or "js" or "plan9" or "wasip1";

    [GeneratedRegex(@"\A(?<first>[A-Za-z0-9][A-Za-z0-9_.-]*)(\((?<version>[A-Za-z0-9][A-Za-z0-9_.-]*)\))?(/(?<second>[A-Za-z0-9][A-Za-z0-9_.-]*)(/(?<variant>[A-Za-z0-9][A-Za-z0-9_.-]*))?)?\z",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Grammar();
}
