namespace Gantry.Engine.Bundles;

/// <summary>A path in a container as a runtime wants it: absolute, without "." and "..". What would climb out of the root ends at the root.</summary>
internal static class ContainerPath
{
    public static string Of(string path, string otherwise)
    {
        if (path.Length == 0) return otherwise;
        var kept = new List<string>();
        foreach (var component in path.Split('/'))
        {
            if (component is "" or ".") continue;
            if (component != "..") kept.Add(component);
            else if (kept.Count > 0) kept.RemoveAt(kept.Count - 1);
        }

        return "/" + string.Join('/', kept);
    }
}
