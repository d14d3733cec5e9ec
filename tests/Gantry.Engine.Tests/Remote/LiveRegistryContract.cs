using System.Text;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Engine.Tests.Remote;

/// <summary>What works against every real registry, whatever it wants to be asked with.</summary>
public abstract class LiveRegistryContract : IAsyncLifetime
{
    private readonly byte[] _layer = Remotes.Random(300_000, seed: Environment.TickCount);
    private RemoteRegistries _registries = null!;

    protected abstract string Host { get; }

    protected abstract Credential? Login { get; }

    private RemoteRepository Repository => _registries.Open($"{Host}/team/app");

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        _registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, Credentials = Login is { } login ? Remotes.With(login) : null });
    }

    public async ValueTask DisposeAsync()
    {
        _registries.Dispose();
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task PushThenPull_Image_ComesBackByteForByte()
    {
        var (config, tag) = (RegistryClient.EmptyConfig, TagName.Parse("v1"));
        var manifest = Encoding.UTF8.GetBytes(RegistryClient.ImageJson([_layer]));
        await Remotes.FailsAsync(EngineFault.NotFound, () => Repository.GetManifestAsync(tag));
        Assert.False(await Repository.HasBlobAsync(Digest.Of(_layer)));

        Assert.Equal(BlobPush.Uploaded, await Repository.UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer)));
        Assert.Equal(BlobPush.Present, await Repository.UploadBlobAsync(Remotes.Describe(_layer), () => throw new InvalidOperationException("not asked for")));
        await Repository.UploadBlobAsync(Remotes.Describe(config), () => new MemoryStream(config));
        Assert.Equal(Digest.Of(manifest), (await Repository.PutManifestAsync(tag, manifest, MediaTypes.OciManifest)).Digest);

        var document = await Repository.GetManifestAsync(tag);
        Assert.Equal((MediaTypes.OciManifest, Digest.Of(manifest)), (document.MediaType, document.Digest));
        Assert.Equal(manifest, document.Content.ToArray());
        Assert.Equal(document.Content.ToArray(), (await Repository.GetManifestAsync(document.Digest)).Content.ToArray());
        Assert.Equal(new Descriptor(MediaTypes.OciManifest, document.Digest, manifest.Length), await Repository.ResolveAsync(tag));
        var layer = document.Parse().Layers[0];
        Assert.Equal(_layer, await Repository.ReadAsync(layer));
        Assert.Equal(_layer[200_000..], await Repository.ReadAsync(layer, 200_000));
        Assert.Equal(["v1"], (await Repository.ListTagsAsync()).Select(name => name.ToString()));
    }

    [Fact]
    public async Task Upload_ToAnotherRepository_IsMounted()
    {
        await Repository.UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer));
        var other = _registries.Open($"{Host}/team/other");
        Assert.Equal(BlobPush.Mounted, await other.UploadBlobAsync(Remotes.Describe(_layer), () => throw new InvalidOperationException("not asked for"), Repository.Name));
        Assert.Equal(_layer, await other.ReadAsync(Remotes.Describe(_layer)));
        Assert.True(await _registries.Open($"{Host}/team/third").MountBlobAsync(Digest.Of(_layer), Repository.Name));
    }

    [Fact]
    public async Task Upload_SourceHasItNot_SendsTheBytes()
    {
        Assert.False(await Repository.MountBlobAsync(Digest.Of(_layer), RepositoryName.Parse("team/nowhere")));
        Assert.Equal(BlobPush.Uploaded, await Repository.UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer), RepositoryName.Parse("team/nowhere")));
    }

    [Fact]
    public async Task Upload_OtherBytesThanTheDigest_IsRefused()
    {
        var other = Remotes.Describe(_layer) with { Digest = Digest.Of("other"u8) };
        await Assert.ThrowsAsync<EngineException>(() => Repository.UploadBlobAsync(other, () => new MemoryStream(_layer)));
        Assert.False(await Repository.HasBlobAsync(other.Digest));
        await Remotes.FailsAsync(EngineFault.Mismatch, () => Repository.UploadBlobAsync(Remotes.Describe(_layer) with { Size = _layer.Length + 1 }, () => new MemoryStream(_layer)));
    }

    [Fact]
    public async Task Upload_NoBytesAtAll_Works()
    {
        await Repository.UploadBlobAsync(Remotes.Describe([]), () => new MemoryStream([]));
        Assert.True(await Repository.HasBlobAsync(Digest.Of([])));
        Assert.Empty(await Repository.ReadAsync(Remotes.Describe([])));
    }

    [Fact]
    public async Task ListReferrers_OfASignedImage_FindsTheSignature()
    {
        var (config, subject) = (RegistryClient.EmptyConfig, Digest.Of("the subject"u8));
        await Repository.UploadBlobAsync(Remotes.Describe(config), () => new MemoryStream(config));
        var signature = Encoding.UTF8.GetBytes(RegistryClient.ImageJson([], subject, "sig/x"));
        var push = await Repository.PutManifestAsync(Digest.Of(signature), signature, MediaTypes.OciManifest);
        if (!push.HasReferrers)
        {
            var index = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{push.Digest}}","size":{{signature.Length}},"artifactType":"sig/x"}]}""");
            await Repository.PutManifestAsync(TagName.Parse($"sha256-{subject.Hex}"), index, MediaTypes.OciIndex);
        }

        Assert.Equal(push.Digest, Assert.Single(await Repository.ListReferrersAsync(subject)).Digest);
        Assert.Single(await Repository.ListReferrersAsync(subject, "sig/x"));
        Assert.Empty(await Repository.ListReferrersAsync(subject, "sbom/x"));
        Assert.Empty(await Repository.ListReferrersAsync(Digest.Of("nothing"u8)));
    }

    [Fact]
    public async Task Read_ThroughCutConnections_ComesWhole()
    {
        await Repository.UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer));
        var cuts = 0;
        await using var proxy = await ReverseProxy.StartAsync(new Uri($"http://{Host}"));
        proxy.Faults = request => request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal) && cuts++ < 3 ? ProxyFault.CutAnswer : null;
        using var registries = new RemoteRegistries(Remotes.Quick with { MaxTries = 8, Credentials = Login is { } login ? Remotes.With(login) : null });
        Assert.Equal(_layer, await registries.Open($"{proxy.Address.Authority}/team/app").ReadAsync(Remotes.Describe(_layer)));
    }

    [Fact]
    public async Task Upload_AnswerLost_FindsItThere()
    {
        var lost = 0;
        await using var proxy = await ReverseProxy.StartAsync(new Uri($"http://{Host}"));
        proxy.Faults = request => request.Method == "PUT" && lost++ == 0 ? ProxyFault.LoseAnswer : null;
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Login is { } login ? Remotes.With(login) : null });
        var push = await registries.Open($"{proxy.Address.Authority}/team/app").UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer));
        Assert.Equal((BlobPush.Present, 1), (push, lost));
        Assert.Equal(_layer, await Repository.ReadAsync(Remotes.Describe(_layer)));
    }

    [Fact]
    public async Task Upload_CutInTheMiddle_IsSentAgain()
    {
        var cut = 0;
        await using var proxy = await ReverseProxy.StartAsync(new Uri($"http://{Host}"));
        proxy.Faults = request => request.Method == "PUT" && cut++ == 0 ? ProxyFault.CutRequest : null;
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Login is { } login ? Remotes.With(login) : null });
        Assert.Equal(BlobPush.Uploaded, await registries.Open($"{proxy.Address.Authority}/team/app").UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer)));
        Assert.Equal(_layer, await Repository.ReadAsync(Remotes.Describe(_layer)));
    }

    [Fact]
    public async Task Verify_Login_TellsGoodFromBad()
    {
        if (Login is not { } login) return; // nobody can be refused there
        await _registries.VerifyAsync(Host, login);
        var denied = await Remotes.FailsAsync(EngineFault.Denied, () => _registries.VerifyAsync(Host, Credential.OfPassword(login.UserName, "wrong-Passw0rd")));
        Assert.DoesNotContain("wrong-Passw0rd", denied.ToString(), StringComparison.Ordinal);
        using var nobody = new RemoteRegistries(Remotes.Quick);
        await Remotes.FailsAsync(EngineFault.Denied, () => nobody.Open($"{Host}/team/app").UploadBlobAsync(Remotes.Describe(_layer), () => new MemoryStream(_layer)));
    }

    protected abstract Task StartAsync();

    protected abstract Task StopAsync();
}

[Trait("Speed", "Slow")]
public sealed class GantryWithLoginTests : GantryContract
{
    protected override string Anonymous => "None";

    protected override Credential? Login { get; } = Credential.OfPassword("admin", RegistryServer.Password);
}

[Trait("Speed", "Slow")]
public sealed class GantryForEverybodyTests : GantryContract
{
    protected override string Anonymous => "Full";

    protected override Credential? Login => null;
}

public abstract class GantryContract : LiveRegistryContract
{
    private RegistryServer _server = null!;

    protected override string Host => _server.Address.Authority;

    protected abstract string Anonymous { get; }

    protected override async Task StartAsync() => _server = await RegistryServer.StartAsync($"Access:Anonymous={Anonymous}");

    protected override Task StopAsync() => _server.DisposeAsync().AsTask();
}

[Trait("Speed", "Slow")]
public sealed class PeerWithLoginTests : PeerContract
{
    protected override Credential? Login { get; } = Credential.OfPassword(PeerRegistry.UserName, PeerRegistry.Password);
}

[Trait("Speed", "Slow")]
public sealed class PeerForEverybodyTests : PeerContract
{
    protected override Credential? Login => null;
}

public abstract class PeerContract : LiveRegistryContract
{
    private PeerRegistry _peer = null!;

    protected override string Host => _peer.Host;

    protected override async Task StartAsync() => _peer = await PeerRegistry.StartAsync(withLogin: Login is not null);

    protected override Task StopAsync() => _peer.DisposeAsync().AsTask();
}
