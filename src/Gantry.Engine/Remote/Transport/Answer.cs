using System.Net;
using System.Net.Http.Headers;

namespace Gantry.Engine.Remote.Transport;

/// <summary>A registry's whole answer, its body in memory. Headers outlive the message they came in.</summary>
internal sealed record Answer(HttpStatusCode Status, Uri Address, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, byte[] Body)
{
    public string? MediaType => ContentHeaders.NonValidated.TryGetValues("Content-Type", out var values)
        ? values.ToString().Split(';')[0].Trim() is { Length: > 0 and <= 255 } type ? type : null : null;

    /// <summary>The first value; null where there is none.</summary>
    public string? Header(string name) => Headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
