using System.Globalization;

namespace Gantry.Engine.Images;

/// <summary>
/// How well an image fits a platform: the smaller, the better, and what does not run there has none. The architecture's distance counts first, then on Windows the
/// newer build. Two of equal fit are the same to the host, and the first in the index is taken.
/// </summary>
internal readonly record struct PlatformFit(int Distance, long BuildsBehind) : IComparable<PlatformFit>
{
    /// <summary>From here on any build of Windows runs on a newer host; before, on its own alone.</summary>
    private const int FirstCompatibleBuild = 20348;

    public static PlatformFit? Of(ImagePlatform image, ImagePlatform wanted)
    {
        if (image.Os != wanted.Os) return null;
        var distance = Accepted(wanted).IndexOf((image.Architecture, image.Variant));
        if (distance < 0) return null;
        if (wanted.Os != "windows") return new PlatformFit(distance, 0);

        var (build, host) = (Build(image.OsVersion), Build(wanted.OsVersion));
        var runs = build is null || host is null || (host < FirstCompatibleBuild ? build == host : build >= FirstCompatibleBuild && build <= host);
        return runs ? new PlatformFit(distance, int.MaxValue - (build ?? 0)) : null;
    }

    public int CompareTo(PlatformFit other) =>
        Distance != other.Distance ? Distance.CompareTo(other.Distance) : BuildsBehind.CompareTo(other.BuildsBehind);

    /// <summary>Everything that runs on an architecture, best first; another word size only as the last resort.</summary>
    private static List<(string Architecture, string? Variant)> Accepted(ImagePlatform wanted)
    {
        List<(string, string?)> accepted = [(wanted.Architecture, wanted.Variant)];
        switch (wanted.Architecture)
        {
            case "amd64":
                for (var level = Level(wanted.Variant) - 1; level > 1; level--) accepted.Add(("amd64", $"v{level}"));
                if (Level(wanted.Variant) > 1) accepted.Add(("amd64", null));
                accepted.Add(("386", null));
                break;
            case "arm":
                AddArm(accepted, Level(wanted.Variant) - 1);
                break;
            case "arm64":
                AddArm64(accepted, wanted.Variant);
                AddArm(accepted, 8);
                break;
        }

        return accepted;
    }

    private static void AddArm(List<(string, string?)> accepted, int from)
    {
        for (var level = Math.Min(from, 8); level >= 5; level--) accepted.Add(("arm", $"v{level}"));
    }

    /// <summary>v9.x has all of the lower v9 and of v8.(x+5) and below.</summary>
    private static void AddArm64(List<(string, string?)> accepted, string? variant)
    {
        var parts = (variant ?? "v8").TrimStart('v').Split('.');
        if (!int.TryParse(parts[0], NumberStyles.None, null, out var major) || major is not (8 or 9)) return;
        var minor = parts.Length > 1 && int.TryParse(parts[1], NumberStyles.None, null, out var given) && given < 10 ? given : 0;

        if (major == 9)
        {
            for (var lower = minor - 1; lower >= 0; lower--) accepted.Add(("arm64", lower == 0 ? "v9" : $"v9.{lower}"));
        }

        for (var lower = major == 9 ? minor + 5 : minor - 1; lower >= 0; lower--) accepted.Add(("arm64", lower == 0 ? null : $"v8.{lower}"));
    }

    private static int Level(string? variant) =>
        variant is ['v', >= '1' and <= '9'] ? variant[1] - '0' : 0;

    /// <summary>The third number of <c>10.0.20348.1</c>.</summary>
    private static int? Build(string? version) =>
        version?.Split('.') is [_, _, var build, ..] && int.TryParse(build, NumberStyles.None, null, out var number) ? number : null;
}
