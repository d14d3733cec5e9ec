using System.Net.Sockets;
using System.Runtime.InteropServices;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Server;

/// <summary>What each verb does, and how each way of failing ends.</summary>
internal static class Verbs
{
    private const int Ok = 0, Failure = 1, BadUsage = 2;

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

    public static Task<int> ResetPasswordAsync(string account, bool fromInput, string[] settings) =>
        RunAsync(settings, async (server, stop) =>
        {
            var chosen = fromInput ? await Console.In.ReadLineAsync(stop) : null;
            if (!AccountName.TryParse(account, out var name)) return Usage([$"'{account}' is not an account's name"]);

            await server.StartDatabaseAsync(beside: true, stop);
            var password = await server.App.Services.GetRequiredService<Accounts>().ResetPasswordAsync(name, chosen, Actor.Console, stop);
            if (password is null) return Fail($"there is no account {name}");
            if (chosen is null) await Console.Out.WriteLineAsync(password);
            return Ok;
        });

    public static int Usage(IEnumerable<string> faults)
    {
        foreach (var fault in faults) Console.Error.WriteLine($"gantry-server: {fault}");
        return BadUsage;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine($"gantry-server: {message}");
        return Failure;
    }

    private static async Task<int> RunAsync(string[] settings, Func<GantryServer, CancellationToken, Task<int>> work)
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

    /// <summary>Parts the arguments: "--Section:Key=value" (or the value after it) are settings, the rest is for the verb.</summary>
    public static (List<string> Words, List<string> Settings) TakeSettings(string[] arguments)
    {
        var (words, settings) = (new List<string>(), new List<string>());
        for (var index = 0; index < arguments.Length; index++)
        {
            var isSetting = IsKey(arguments[index]) && arguments[index].AsSpan().IndexOfAny(':', '=') > 0;
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
