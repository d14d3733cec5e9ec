using System.Globalization;
using System.Text.Json;
using Gantry.Core.Browse;

namespace Gantry.Core.Look;

/// <summary>What an image's config says of how it is run, for people to compare: texts as they stand there.</summary>
internal static class ImageSettings
{
    /// <summary>
    /// By what they are about: <c>user</c>, <c>workdir</c>, <c>entrypoint</c>, <c>cmd</c>, <c>shell</c>, <c>on-build</c>, <c>healthcheck</c>, <c>stop-signal</c>,
    /// <c>stop-timeout</c>, <c>platform</c>, <c>os-version</c>, <c>os-features</c>, and for each of its own <c>env/NAME</c>, <c>label/NAME</c>, <c>port/NUMBER</c>,
    /// <c>volume/PATH</c>; <c>config/NAME</c> for what nobody here knows.
    /// </summary>
    /// <param name="config">Null: what is no config says nothing.</param>
    public static IReadOnlyDictionary<string, string> Of(ImageConfig? config)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (config is null) return values;
        Set("platform", string.Join('/', new[] { config.Os, config.Architecture, config.Variant }.Where(part => part is { Length: > 0 })));
        Set("os-version", config.OsVersion);
        Set("os-features", Command(config.OsFeatures));
        Set("user", config.User);
        Set("workdir", config.WorkingDir);
        Set("stop-signal", config.StopSignal);
        Set("stop-timeout", config.StopTimeout?.ToString(CultureInfo.InvariantCulture));
        Set("healthcheck", config.Healthcheck);
        Set("shell", Command(config.Shell));
        Set("on-build", Command(config.OnBuild));
        Set("entrypoint", Command(config.Entrypoint));
        Set("cmd", Command(config.Cmd));
        foreach (var variable in config.Env)
        {
            if (variable.Split('=', 2) is [{ Length: > 0 } name, var value]) values[$"env/{name}"] = value;
        }

        foreach (var (name, value) in config.Labels) values[$"label/{name}"] = value;
        foreach (var name in config.ExposedPorts) values[$"port/{name}"] = "";
        foreach (var name in config.Volumes) values[$"volume/{name}"] = "";
        foreach (var (name, value) in config.Others) values[$"config/{name}"] = value;
        return values;

        void Set(string name, string? value)
        {
            if (value is { Length: > 0 }) values[name] = value;
        }
    }

    private static string? Command(IReadOnlyList<string> words) => words.Count == 0 ? null : JsonSerializer.Serialize(words);
}
