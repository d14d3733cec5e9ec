using System.Net;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.Faults;

/// <summary>What only a filesystem can do to an upload.</summary>
public sealed class StagingFileTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    public async Task AFileThatLostItsEnd_EndsTheUploadAndCommitsNothing(string method)
    {
        var content = NewContent(2000);
        var upload = await Client.StartUploadAsync(_repository);
        (await Client.SendChunkAsync(upload, content[..1000])).Dispose();
        var id = SessionId(upload).ToString("N");
        await using (var file = File.OpenWrite(Path.Combine(registry.Server.DataRoot, "blobs", "uploads", id[^2..], id))) file.SetLength(999);

        using var answer = method == "PUT"
            ? await Client.CloseAsync(upload, Digest.Of(content), content[1000..])
            : await Client.SendChunkAsync(upload, content[1000..]);

        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (answer.StatusCode, await answer.ErrorCodeAsync()));
        using var head = await Client.HeadBlobAsync(_repository, Digest.Of(content));
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
    }
}
