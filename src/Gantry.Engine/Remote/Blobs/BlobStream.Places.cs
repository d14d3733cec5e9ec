using System.Net;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote.Blobs;

/// <summary>Which place is asked next, and what of its answer is believed.</summary>
internal sealed partial class BlobStream
{
    private static async Task ConnectAsync(BlobStream stream, CancellationToken cancellationToken)
    {
        while (!await stream.TryConnectAsync(cancellationToken))
        {
            // Another try at this place, or the first at the next.
        }
    }

    private async Task<bool> TryConnectAsync(CancellationToken cancellationToken)
    {
        var place = _places[_place];
        EngineException failed;
        var passing = false;
        TimeSpan? after = null;
        HttpResponseMessage? response = null;
        try
        {
            long? asked = _position > 0 ? _position : null;
            response = await place.SendAsync(asked, _entityTags, cancellationToken);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
            {
                await BeginAsync(response, BlobAnswer.Check(response, place.Name, asked, _size), cancellationToken);
                response = null;
                return true;
            }

            (passing, after) = (Tries.IsPassing(response.StatusCode), Tries.RetryAfter(response, _options.Time));
            failed = response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable
                ? new EngineException(EngineFault.Mismatch, $"{place.Name} has fewer bytes of the blob than {_position}, of {_size} that are due")
                : await place.FailureAsync(response, cancellationToken);
        }
        catch (EngineException refused)
        {
            (failed, passing) = (refused, Tries.IsPassing(refused));
        }
        finally
        {
            response?.Dispose();
        }

        if (!passing || !await _tries.AgainAsync(after, cancellationToken)) NextPlace(failed);
        return false;
    }

    private async Task BeginAsync(HttpResponseMessage response, BlobAnswer answer, CancellationToken cancellationToken)
    {
        var origin = response.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Authority);
        if (StrongTag(response) is { } tag)
        {
            if (answer.Start > 0 && _entityTags.TryGetValue(origin, out var before) && before != tag)
                throw new EngineException(EngineFault.Mismatch, $"{_places[_place].Name} resumes with another version of the blob");
            _entityTags[origin] = tag;
        }

        if (answer.Start < _position && ++_restarts > MaxRestarts)
            throw new EngineException(EngineFault.Network, $"{_places[_place].Name} cannot resume, and its connections break");
        _body = await response.Content.ReadAsStreamAsync(cancellationToken);
        (_response, _connectedAt, _skip, _end) = (response, _position, _position - answer.Start, answer.End);
    }

    private void NextPlace(EngineException failed)
    {
        if (failed.Fault == EngineFault.Network) _places[_place].GiveUp();
        if (_place == _places.Count - 1) throw failed;
        _options.Notes?.Invoke($"{_places[_place].Name} is passed over: {failed.Message}");
        _place++;
        (_tries, _restarts) = (new Tries(_options), 0);
    }

    private static string? StrongTag(HttpResponseMessage response) =>
        response.Headers.ETag is { IsWeak: false, Tag: { Length: > 2 and <= 256 } tag } ? tag : null;
}
