namespace Gantry.TestKit;

/// <summary>The command gantry as tests run it: published, as people install it, where <c>GANTRY_PROGRAM</c> says so (test.sh does), otherwise as it was built.</summary>
public static class GantryProgram
{
    /// <summary>The words to begin with.</summary>
    /// <param name="folder">Of the build.</param>
    public static string[] Words(string folder) =>
        Environment.GetEnvironmentVariable("GANTRY_PROGRAM") is { Length: > 0 } published ? [published] : ["dotnet", Path.Combine(folder, "gantry.dll")];
}
