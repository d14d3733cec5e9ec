using Gantry.Core.Events;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.Server.Tests.Admin;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.Scrub;

/// <summary><c>gantry-server scrub</c> and <c>admin quarantined</c> as processes of their own; and the server that does it by itself.</summary>
[Trait("Speed", "Slow")]
public sealed class ScrubVerbTests(ScrubRegistry registry) : IClassFixture<ScrubRegistry>
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Fact]
    public async Task Scrub_PrintsWhatRotted_AndItsExitCodeIsTheAnswer()
    {
        var (content, second) = (NewContent(1000), registry.NewRepository());
        var sound = await Client.PushBlobAsync(_repository, NewContent(100));
        var rotten = await Client.PushBlobAsync(_repository, content);
        await Client.PushBlobAsync(second, content);
        Assert.Equal((0, "0 blobs read, 0 not well\n"), await RunAsync("scrub"));
        Assert.Equal((0, "1 blobs read, 0 not well\n"), await RunAsync("scrub", $"{rotten}"));
        Rot.Do("cut off", await registry.FileAsync(rotten));
        await registry.DueAsync(sound, rotten);

        var (code, output) = await RunAsync("scrub");

        Assert.Equal(1, code);
        var location = await registry.Server.QueryAsync<string>("SELECT location FROM blobs WHERE digest = $1", $"{rotten}");
        Assert.Equal($"{rotten}  quarantined: 999 bytes and not 1000 at {location}\n2 blobs read, 1 not well\n", output);
        var (_, list) = await RunAsync("admin", "quarantined");
        Assert.Matches($@"(?m)^{rotten}  1000  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ  {_repository} {second}$", list);

        Assert.Equal(1, (await RunAsync("scrub", $"{rotten}", $"{sound}")).Code);
        Rot.Do("gone", await registry.FileAsync(rotten));
        await File.WriteAllBytesAsync((await registry.FileAsync(rotten)).FullName, content);
        Assert.Equal((0, $"{rotten}  served again: the right bytes are at {location} after all\n1 blobs read, 0 not well\n"),
            await RunAsync("scrub", $"{rotten}"));
        Assert.DoesNotContain($"{rotten}", (await RunAsync("admin", "quarantined")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scrub_OfWhatIsNotThere_Fails()
    {
        var unknown = Digest.Of(NewContent(10));
        Assert.Equal((1, $"{unknown}  not there: there is no such blob\n1 blobs read, 1 not well\n"), await RunAsync("scrub", $"{unknown}"));
        Assert.Equal((2, ""), await RunAsync("scrub", "sha256:abc"));
    }

    [Fact]
    public async Task AServer_FindsWhatRottedByItself()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_repository, content);
        Rot.Flip(await registry.FileAsync(digest));
        await registry.DueAsync(digest);

        await using var node = await registry.Server.AnotherNodeAsync();
        await UntilAsync(() => registry.IsQuarantinedAsync(digest), "quarantine by the server itself");

        Assert.Single(await registry.EventsAsync(EventKinds.BlobQuarantine, digest));
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var (code, output, _) = await new ServerVerbs(registry.Server).RunAsync(arguments);
        return (code, output);
    }
}
