using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>
/// A real client with a store of its own under a temporary folder, logged in to one registry.
/// References are complete: host:port/repository:tag.
/// </summary>
internal interface IImageClient : IAsyncDisposable
{
    /// <summary>Name and version, as the client itself says them.</summary>
    string Version { get; }

    /// <summary>Brings an image of the fixture into the local store under a reference, without the registry.</summary>
    Task LoadAsync(ImageSet images, string name, string reference);

    /// <summary>Pushes what the reference names locally and returns the digest the client says it pushed.</summary>
    Task<string> PushAsync(string reference);

    /// <summary>Pulls and returns the digest the client says it pulled.</summary>
    Task<string> PullAsync(string reference);

    /// <summary>Runs a command in a pulled image and returns its standard output.</summary>
    Task<string> RunAsync(string reference, params string[] command);

    /// <summary>Empties the local store, so that every byte of the next pull comes from the registry.</summary>
    Task WipeAsync();
}
