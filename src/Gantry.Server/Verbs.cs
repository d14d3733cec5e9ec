using System.Net.Sockets;
using System.Runtime.InteropServices;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Server;

/// <summary>What each verb does, and how each way of failing ends.</summary>
internal static class Verbs
{
    public const int Ok = 0, Failure = 1;
    private const int BadUsage = 2;

    public static Task<int> ServeAsync(string[] settings) => RunAsync(settings, async (server, stop) =>
    {
        await server.StartDatabaseAsync(beside: false, stop);
        try
        {
            await server.StartAsync(stop);
            await server.App.WaitForShutdownAsync(stop);
        }
        catch (OperationCanceledException) when (server.App.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to stop while it was starting.
        }

        return Ok;
    });

    public static Task<int> MigrateAsync(string[] settings) => RunAsync(settings, async (server, stop) =>
    {
        var applied = await server.StartDatabaseAsync(beside: true, stop);
        await Console.Out.WriteLineAsync($"{applied} migrations applied");
        return Ok;
    });

    public static int Usage(IEnumerable<string> faults)
    {
        foreach (var fault in faults) Console.Error.WriteLine($"gantry-server: {fault}");
        return BadUsage;
    }

    public static int Fail(string message)
    {
        Console.Error.WriteLine($"gantry-server: {message}");
        return Failure;
    }

    public static async Task<int> RunAsync(string[] settings, Func<GantryServer, CancellationToken, Task<int>> work)
    {
        // Until the host runs and listens for signals itself, they end the start.
        // Not disposed: the same signal may have ended the host, and with it this method, before it gets to Stop.
        var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        try
        {
            var strange = settings.Where((text, index) => !IsSetting(settings, index)).ToList();
            if (strange.Count > 0) return Usage(strange.Select(text => $"'{text}' is not of the form --Section:Key=value"));

            await using var server = GantryServer.Create(settings);
            return await work(server, stop.Token);
        }
        catch (OptionsValidationException exception)
        {
            return Usage(exception.Failures);
        }
        catch (InvalidDataException exception)
        {
            return Usage([$"{exception.Message} {exception.InnerException?.Message}"]);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Ok;
        }
        catch (OciException exception)
        {
            return Fail(exception.Detail ?? exception.Message);
        }
        catch (ArgumentException exception) when (exception.ParamName is "password" or "name" or "newPassword")
        {
            return Fail(exception.Message);
        }
        catch (Exception exception) when (exception is LocalPostgresException or NpgsqlException or MigrationException
            or IOException or UnauthorizedAccessException or SocketException)
        {
            return Fail(exception.Message);
        }
        catch (Exception exception)
        {
            return Fail($"failed, for a reason it was not prepared for: {exception}");
        }
    }

    /// <summary>
    /// Parts the arguments: "--Section:Key=value" and "--Urls=value" (or the value after it) are settings, the rest is for
    /// the verb, whose options have neither a colon in their names nor those of settings.
    /// </summary>
    public static (List<string> Words, List<string> Settings) TakeSettings(string[] arguments)
    {
        var (words, settings) = (new List<string>(), new List<string>());
        for (var index = 0; index < arguments.Length; index++)
        {
            var key = arguments[index].Split('=')[0];
            var isSetting = IsKey(key) && (key.Contains(':', StringComparison.Ordinal) || SettingFaults.IsKnown(key[2..]));
            (isSetting ? settings : words).Add(arguments[index]);
            if (isSetting && !arguments[index].Contains('=', StringComparison.Ordinal)
                && index + 1 < arguments.Length && !IsKey(arguments[index + 1])) settings.Add(arguments[++index]);
        }

        return (words, settings);
    }

    // "--key=value", or "--key" and a value after it.
    private static bool IsSetting(string[] settings, int index)
    {
        if (!IsKey(settings[index])) return index > 0 && IsKey(settings[index - 1]) && !settings[index - 1].Contains('=', StringComparison.Ordinal);
        return settings[index].Contains('=', StringComparison.Ordinal)
            || (index + 1 < settings.Length && !IsKey(settings[index + 1]));
    }

    private static bool IsKey(string text) => text.StartsWith("--", StringComparison.Ordinal);
}
