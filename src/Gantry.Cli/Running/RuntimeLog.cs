using System.Text.Json;

namespace Gantry.Cli.Running;

/// <summary>
/// A runtime ends with 1 when it cannot start a container, and a container may do so too; what the runtime wrote into its log tells them apart. The codes are those
/// of docker run.
/// </summary>
internal static class RuntimeLog
{
    private const int MaxBytes = 1 << 20;

    /// <summary>Null where the runtime had nothing to complain of.</summary>
    public static int? ExitCodeOf(string path)
    {
        if (!File.Exists(path) || new FileInfo(path).Length > MaxBytes) return null;
        var error = File.ReadLines(path).Select(ErrorOf).FirstOrDefault(message => message is not null);
        return error switch
        {
            null => null,
            _ when error.Contains("executable file", StringComparison.OrdinalIgnoreCase) && error.Contains("not found", StringComparison.OrdinalIgnoreCase) => ExitCodes.NoSuchCommand,
            _ when error.Contains("exec", StringComparison.Ordinal) && error.Contains("no such file or directory", StringComparison.OrdinalIgnoreCase) => ExitCodes.NoSuchCommand,
            _ when error.Contains("exec", StringComparison.Ordinal) && error.Contains("permission denied", StringComparison.OrdinalIgnoreCase) => ExitCodes.NotExecutable,
            _ => ExitCodes.RunFailed,
        };
    }

    private static string? ErrorOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("level", out var level) && level.ValueEquals("error")
                && json.RootElement.TryGetProperty("msg", out var message) ? message.GetString() : null;
        }
        catch (JsonException)
        {
            return null; // not of the form that was asked for: some other program's line
        }
    }
}
