using Gantry.Core.Look;
using Gantry.TestKit;
using Gantry.TestKit.Tar;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Core.Tests.Look;

/// <summary>The server by itself: what is pushed over HTTP gets listed.</summary>
[Trait("Speed", "Slow")]
public sealed class LayerWorkerTests
{
    [Fact]
    public async Task Server_ListsWhatIsPushed()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        await client.PushImageAsync(LookRegistry.Repository, "v1", new TarBytes().File("etc/motd", "hello").End().ToArray());

        // Asked, so that it is the next one; and again until it is there.
        var files = server.Services.GetRequiredService<ImageFiles>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Looked<DirectoryListing>? looked;
        do
        {
            looked = await files.ListAsync(LookRegistry.Name, LookRegistry.Reference("v1"), LookRegistry.Path("etc"), null, 10, false, limit.Token);
        }
        while (looked!.State is LookState.Waiting or LookState.Reading);

        Assert.Equal("etc/motd", Assert.Single(looked.Value!.Files).Path.ToString());
    }
}
