using System.Net.Http.Headers;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Chaos;

/// <summary>
/// One client among several, with a repository of its own and contents that others push too. Each request goes to another
/// node. It keeps <see cref="Book"/> of what was answered and fails at the first answer that the rules forbid.
/// </summary>
internal sealed partial class ChaosWorker(ChaosRun run, int number, int seed)
{
    private readonly Random _random = new(seed);
    private int _turn;

    public Book Book { get; } = new($"chaos/w{number}", run.Grace);

    /// <summary>Steps begun.</summary>
    public int Steps { get; private set; }

    private string Repository => Book.Repository;

    public async Task WorkAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            Steps++;
            await StepAsync();
        }
    }

    private Task StepAsync() => _random.Next(100) switch
    {
        < 16 => PushBlobAsync(NextBlob()),
        < 22 => MountAsync(),
        < 42 => PushImageAsync(),
        < 47 => PushIndexAsync(),
        < 53 => MoveTagAsync(),
        < 57 => DeleteTagAsync(),
        < 66 => DeleteManifestAsync(Pick(Book.Manifests.Values)),
        < 72 => DeleteBlobAsync(Pick(Book.Blobs.Values)),
        < 76 => RaceAsync(),
        < 86 => RestoreAsync(),
        < 89 => CancelAsync(),
        _ => LookAsync(),
    };

    /// <summary>An answer, read to its end.</summary>
    private sealed record Answer(int Status, HttpResponseHeaders Headers, byte[] Body, Span Span)
    {
        /// <summary>5xx says nothing about what was done: a store may have failed after the rows were written.</summary>
        public bool IsFault => Status >= 500;
    }

    /// <summary>
    /// Asks the next node that runs. Null: the answer was lost, and whatever the request did is done by now, because its node
    /// is gone and PostgreSQL has ended its sessions.
    /// </summary>
    private async Task<Answer?> SendAsync(HttpMethod method, string path, byte[]? body = null, string? mediaType = null, string? range = null)
    {
        var begun = Book.Now;
        while (true)
        {
            var node = await run.NextNodeAsync(number + _turn++);
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (body is not null) request.Content = RegistryClient.Bytes(body, mediaType ?? "application/octet-stream");
                if (range is not null) request.Content!.Headers.TryAddWithoutValidation("Content-Range", range);
                using var answer = await node.Client.SendAsync(request);
                var read = new Answer((int)answer.StatusCode, answer.Headers, await answer.Content.ReadAsByteArrayAsync(), new Span(begun, Book.Now));
                run.Log($"w{number} {node.Name} {method} {path} {range} -> {read.Status}{(read.Status >= 400 && read.Body.Length < 500 ? " " + Encoding.UTF8.GetString(read.Body) : "")}");
                if (read.IsFault && !run.StoreMayFail) throw Fault($"{method} {path} was answered {read.Status}");
                return read;
            }
            catch (HttpRequestException refused) when (refused.HttpRequestError == HttpRequestError.ConnectionError)
            {
                // Never sent.
                await run.UntilOverAsync(node);
            }
            catch (Exception lost) when (lost is HttpRequestException or IOException or OperationCanceledException)
            {
                run.Log($"w{number} {node.Name} {method} {path} {range} -> lost: {lost.Message}");
                await run.UntilOverAsync(node);
                return null;
            }
        }
    }

    private Exception Fault(string what) => new ChaosException($"w{number}: {what}");

    private T? Pick<T>(IReadOnlyCollection<T> from) where T : class => from.Count == 0 ? null : from.ElementAt(_random.Next(from.Count));

    // One in three is a content that all workers push; most are small, a few have several parts.
    private BlobEntry NextBlob()
    {
        if (_random.Next(3) == 0) return Book.Blob(run.SharedContent(_random.Next(ChaosRun.SharedContents)));
        var content = new byte[_random.Next(40) switch
        {
            0 => _random.Next(8_000_000, 12_000_000),
            < 6 => _random.Next(100_000, 2_000_000),
            _ => _random.Next(1, 30_000),
        }];
        _random.NextBytes(content);
        return Book.Blob(content);
    }
}

/// <summary>The registry did what the rules forbid.</summary>
internal sealed class ChaosException(string message) : Exception(message);
