using System.Net.Sockets;
using System.Text;

namespace Gantry.Server.Tests.Auth;

/// <summary>Requests that no HTTP client would write.</summary>
internal static class RawRequest
{
    /// <summary>
    /// Sends the text as it stands and returns all that comes back until the server closes. <paramref name="then"/> is
    /// sent once the first bytes of the answer are there.
    /// </summary>
    public static async Task<string> SendAsync(Uri address, string text, string? then = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text));

        var answer = new MemoryStream();
        var buffer = new byte[4096];
        for (var read = await ReadAsync(); read > 0; read = await ReadAsync())
        {
            answer.Write(buffer, 0, read);
            if (then is null) continue;
            await stream.WriteAsync(Encoding.Latin1.GetBytes(then));
            then = null;
        }

        return Encoding.Latin1.GetString(answer.ToArray());

        // A server that answers without having wanted the body may reset the connection after its answer.
        async ValueTask<int> ReadAsync()
        {
            try
            {
                return await stream.ReadAsync(buffer);
            }
            catch (IOException) when (answer.Length > 0)
            {
                return 0;
            }
        }
    }
}
