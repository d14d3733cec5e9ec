using System.Text.Json;
using Gantry.Core.Look;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>
/// A place in the packages of an image, as text the digest and a list of what the last package is: <c>sha256:…["dpkg","bash","amd64","5.2"]</c>. The digest is in
/// it so that all pages are of the image that the first one was of.
/// </summary>
internal readonly record struct ImagePackagePlace(Digest Image, ImagePackage Last)
{
    public static bool TryParse(string text, out ImagePackagePlace place)
    {
        place = default;
        var start = text.IndexOf('[', StringComparison.Ordinal);
        if (start < 0 || !Digest.TryParse(text[..start], out var image) || Parts(text[start..]) is not [{ } manager, { } name, var architecture, { } version]) return false;
        place = new ImagePackagePlace(image, new ImagePackage(manager, name, version, architecture));
        return true;
    }

    public override string ToString() =>
        $"{Image}{JsonSerializer.Serialize<string?[]>([Last.Manager, Last.Name, Last.Architecture, Last.Version])}";

    private static string?[]? Parts(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<string?[]>(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
