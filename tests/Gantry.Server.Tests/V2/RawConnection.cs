using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>An answer as it came over the wire; header names compare without case, the lines of one keep their order.</summary>
internal sealed record RawResponse(int Status, ILookup<string, string> Headers, byte[] Body)
{
    /// <summary>The one line of a header; fails where it is missing or repeated.</summary>
    public string Header(string name) => Headers[name].Single();
}

/// <summary>
/// HTTP/1.1 byte by byte, for what an HTTP library hides: when 100-continue comes, bodies that stop, paths that are not
/// tidied up. Every read ends after <see cref="Patience"/>: a server that hangs fails the test.
/// </summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly List<byte> _received = [];

    private RawConnection()
    {
    }

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    /// <summary>The head of a request of the administrator's.</summary>
    public static string Head(string method, string target, params string[] headers) =>
        HeadOfNobody(method, target, [$"Authorization: {RegistryServer.Basic("admin", RegistryServer.Password)}", .. headers]);

    public static string HeadOfNobody(string method, string target, params string[] headers) =>
        $"{method} {target} HTTP/1.1\r\nHost: registry.test\r\n{string.Concat(headers.Select(line => line + "\r\n"))}\r\n";

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, limit.Token)..];
    }

    /// <summary>One chunk of a chunked body.</summary>
    public async Task SendChunkAsync(ReadOnlyMemory<byte> bytes)
    {
        await SendAsync($"{bytes.Length:x}\r\n");
        await SendAsync(bytes);
        await SendAsync("\r\n");
    }

    /// <summary>No more will be sent; answers can still be read.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Gone without a word: the server's next read fails.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Whether something to read arrives within the time given.</summary>
    public async Task<bool> AnswersWithinAsync(TimeSpan time)
    {
        if (_received.Count > 0) return true;
        using var limit = new CancellationTokenSource(time);
        try
        {
            return await ReceiveAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Reads one answer, an interim one (1xx) too.</summary>
    public async Task<RawResponse> ReadAsync(bool toHead = false)
    {
        var lines = Encoding.Latin1.GetString(await TakeUntilAsync("\r\n\r\n"u8.ToArray()))
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = lines.Skip(1).Select(line => line.Split(':', 2))
            .ToLookup(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        if (toHead || status is < 200 or 204 or 304) return new RawResponse(status, headers, []);
        if (headers["Transfer-Encoding"].Any()) return new RawResponse(status, headers, await TakeChunksAsync());
        return new RawResponse(status, headers,
            await TakeAsync(int.Parse(headers["Content-Length"].Single(), CultureInfo.InvariantCulture)));
    }

    /// <summary>True where the server ends the connection, in whatever way, without another byte.</summary>
    public async Task<bool> EndsAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return _received.Count == 0 && !await ReceiveAsync(limit.Token);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<byte[]> TakeChunksAsync()
    {
        var body = new List<byte>();
        while (true)
        {
            var line = Encoding.Latin1.GetString(await TakeUntilAsync("\r\n"u8.ToArray()));
            var size = int.Parse(line.TrimEnd(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.AddRange(await TakeAsync(size));
            await TakeUntilAsync("\r\n"u8.ToArray());
            if (size == 0) return [.. body];
        }
    }

    private async Task<byte[]> TakeUntilAsync(byte[] mark)
    {
        int at;
        while ((at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_received).IndexOf(mark)) < 0)
            await ReceiveOrFailAsync();
        return await TakeAsync(at + mark.Length);
    }

    private async Task<byte[]> TakeAsync(int count)
    {
        while (_received.Count < count) await ReceiveOrFailAsync();
        var taken = _received.GetRange(0, count).ToArray();
        _received.RemoveRange(0, count);
        return taken;
    }

    private async Task ReceiveOrFailAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        if (!await ReceiveAsync(limit.Token)) throw new EndOfStreamException("the server closed the connection");
    }

    private async Task<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        var count = await _socket.ReceiveAsync(buffer, cancellationToken);
        _received.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}
