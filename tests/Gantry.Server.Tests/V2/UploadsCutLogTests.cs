using System.Collections.Concurrent;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>A client that goes away is no fault of the server's: operators are not to be woken by it.</summary>
[Trait("Protocol", "D4.68")]
[Trait("Speed", "Slow")]
public sealed class UploadsCutLogTests
{
    [Theory]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Content-Length: 10000000")]
    public async Task Patch_ThatIsReset_IsLoggedAs499AndNoError(string framing)
    {
        await using var server = await RegistryServer.StartAsync(
            "Logging:LogLevel:Gantry.Server.Telemetry.RequestLog=Information");
        using var log = new LogLines();
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        using var client = server.Client();
        var upload = await client.StartUploadAsync("a");
        await using var connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendAsync(RawConnection.Head("PATCH", upload, framing));
        // More than the store gathers, so that its arrival shows.
        if (framing.EndsWith("chunked", StringComparison.Ordinal)) await connection.SendChunkAsync(new byte[VisibleBytes]);
        else await connection.SendAsync(new byte[VisibleBytes]);
        await UntilAsync(async () => await server.StagedBytesAsync(upload) > 0, "staged bytes");

        connection.Reset();

        await UntilAsync(() => Task.FromResult(log.Lines.Any(line => line.Text.StartsWith("PATCH", StringComparison.Ordinal))), "the request's log line");
        Assert.Contains(log.Lines, line => line.Text.StartsWith($"PATCH {upload} 499", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Warning);
    }

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Enqueue((logLevel, formatter(state, exception)));

        public void Dispose()
        {
        }
    }
}
