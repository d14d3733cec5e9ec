using Gantry.Engine;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Server.Tests.Pulls;

/// <summary>The house's own client as a library, with a store in a folder of its own: what it pulls it has checked and unpacked.</summary>
internal sealed class EngineClient(string? account = null, string password = "") : ICredentialSource, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engine-");

    /// <param name="registry">Where to ask: a server, or a proxy before it.</param>
    /// <param name="repository">With tag <c>latest</c>.</param>
    /// <param name="progressed">Told of each step; the pull waits for it.</param>
    public async Task<PulledImage> PullAsync(Uri registry, string repository, Action<PullProgress>? progressed = null)
    {
        using var registries = new RemoteRegistries(new RemoteOptions
        {
            PlainHttp = true, FirstPause = TimeSpan.FromMilliseconds(10), Credentials = account is null ? null : this,
        });
        var store = await ImageStore.OpenAsync(_folder.FullName);
        // One layer after the other: what happens to the second is known to come after the first.
        var puller = new ImagePuller(store, registries, new PullOptions { Parallelism = 1 });
        var pulled = await puller.PullAsync(ImageName.Parse($"{registry.Authority}/{repository}:latest"), progressed is null ? null : new Steps(progressed));
        Assert.NotNull(store.FindChain(pulled.Image));
        return pulled;
    }

    ValueTask<Credential?> ICredentialSource.FindAsync(string host, RepositoryName? repository, CancellationToken cancellationToken) =>
        new(Credential.OfPassword(account!, password));

    public void Dispose() => _folder.Delete(recursive: true);

    private sealed class Steps(Action<PullProgress> progressed) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => progressed(value);
    }
}
