namespace Gantry.Engine.Remote.Transport;

/// <summary>Reads a body that has to fit into memory, within a time.</summary>
internal static class SmallBody
{
    /// <summary>Of a body that is only read for the error in it.</summary>
    private const int MaxErrorBytes = 64 * 1024;

    /// <exception cref="EngineException">
    /// <see cref="EngineFault.TooLarge"/> past <paramref name="max"/> bytes, <see cref="EngineFault.Network"/> where it breaks off or drags on.
    /// </exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int max, RemoteOptions options, CancellationToken cancellationToken)
    {
        var host = RemoteText.Shown(response.RequestMessage?.RequestUri?.Authority, 260);
        if (response.RequestMessage?.Method == HttpMethod.Head) return [];
        if (response.Content.Headers.ContentLength > max) throw TooLarge();
        if (response.Content.Headers.ContentEncoding.Any(encoding => encoding != "identity"))
            throw new EngineException(EngineFault.Mismatch, $"{host} sends its answer compressed, which it was asked not to");

        // Twice the patience for the headers is plenty for 4 MiB, and ends a body that comes a byte a minute.
        using var late = new CancellationTokenSource(options.ResponseTimeout * 2, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            using var read = new MemoryStream((int)(response.Content.Headers.ContentLength ?? 0));
            var buffer = new byte[16 * 1024];
            while (await body.ReadAsync(buffer, either.Token) is var count and > 0)
            {
                if (read.Length + count > max) throw TooLarge();
                read.Write(buffer, 0, count);
            }

            return read.ToArray();
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException || (cut is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new EngineException(EngineFault.Network, $"the answer of {host} broke off: {RemoteText.Shown(cut.Message, 300)}", cut);
        }

        EngineException TooLarge() => new(EngineFault.TooLarge, $"{host} answers with more than {max} bytes where that is the limit");
    }

    /// <summary>Empty where it cannot be had: the status says enough by itself.</summary>
    public static async Task<byte[]> ReadErrorAsync(HttpResponseMessage response, RemoteOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(response, MaxErrorBytes, options, cancellationToken);
        }
        catch (EngineException)
        {
            return [];
        }
    }
}
