using Gantry.Core.Data;

namespace Gantry.Core.Webhooks;

/// <summary>How deliveries call the registry they come from.</summary>
/// <param name="publicUrl"><c>Server:PublicUrl</c>; empty where clients may call it by any name.</param>
public sealed class WebhookSource(string publicUrl, NodePresence presence)
{
    private readonly string _origin = publicUrl.Length == 0 ? "" : new Uri(publicUrl).AbsoluteUri.TrimEnd('/');

    internal async ValueTask<ToldBy> NowAsync(CancellationToken cancellationToken) =>
        new(_origin, Environment.MachineName, await presence.NumberAsync(cancellationToken));
}
