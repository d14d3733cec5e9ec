using System.Net;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.AspNetCore.WebUtilities;

namespace Gantry.Server.Tests.V2;

/// <summary>Parts of a blob: what a broken pull goes on with, and what a pull in pieces asks for.</summary>
public sealed class BlobRangeTests(RegistryFixture registry)
{
    private const int Size = 2048;
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D4.59")]
    [InlineData("bytes=500-1499", 500, 1000)]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=2047-2047", 2047, 1)]
    [InlineData("bytes=0-", 0, 2048)]
    [InlineData("bytes=500-", 500, 1548)]
    [InlineData("bytes=-500", 1548, 500)]
    [InlineData("bytes=-5000", 0, 2048)]
    [InlineData("bytes=2000-5000", 2000, 48)]
    [InlineData("bytes=2000-99999999999999999999999999", 2000, 48)]
    [InlineData("Bytes= 500-1499 ", 500, 1000)]
    [InlineData("bytes=9000-9001, 500-599", 500, 100)]
    public async Task Get_OneRange_IsThatPart(string range, int offset, int count)
    {
        var (path, content) = await PushAsync();

        using var get = await Client.SendAsync("GET", path, null, ("Range", range));

        get.AssertStatus(HttpStatusCode.PartialContent);
        Assert.Equal($"bytes {offset}-{offset + count - 1}/{Size}", get.RawHeader("Content-Range"));
        Assert.Equal("application/octet-stream", get.RawHeader("Content-Type"));
        Assert.Equal(count, get.Content.Headers.ContentLength);
        Assert.Equal(content[offset..(offset + count)], await get.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.59")]
    [InlineData("bytes=2048-")]
    [InlineData("bytes=5000-10000")]
    [InlineData("bytes=500-0")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=2048-3000,9999-")]
    public async Task Get_RangeOutside_IsNotSatisfiable(string range)
    {
        var (path, _) = await PushAsync();
        using var get = await Client.SendAsync("GET", path, null, ("Range", range));
        await get.AssertErrorAsync(HttpStatusCode.RequestedRangeNotSatisfiable, "SIZE_INVALID");
        Assert.Equal($"bytes */{Size}", get.RawHeader("Content-Range"));
    }

    [Theory]
    [Trait("Protocol", "D4.59")]
    [InlineData("bytes=")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=-")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes=1-2;")]
    [InlineData("lines=1-2")]
    [InlineData("bytes 1-2")]
    [InlineData("bytes=0-2047,0-0")]
    public async Task Get_RangeThatMayBeIgnored_IsTheWhole(string range)
    {
        var (path, content) = await PushAsync();
        using var get = await Client.SendAsync("GET", path, null, ("Range", range));
        get.AssertStatus(HttpStatusCode.OK);
        Assert.Null(get.RawHeader("Content-Range"));
        Assert.Equal(content, await get.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.60")]
    [InlineData("bytes=0-9,100-199", 0, 10, 100, 100)]
    [InlineData("bytes=-5,0-0", 2043, 5, 0, 1)]
    [InlineData("bytes=10-19,10-19", 10, 10, 10, 10)]
    [InlineData("bytes=1000-, 0-499 ,9999-", 1000, 1048, 0, 500)]
    public async Task Get_SeveralRanges_AreTheParts(string range, params int[] expected)
    {
        var (path, content) = await PushAsync();

        using var get = await Client.SendAsync("GET", path, null, ("Range", range));

        var parts = await PartsAsync(get);
        Assert.Equal(expected.Chunk(2).Select(pair => (long)pair[0]), parts.Select(part => part.Offset));
        Assert.All(parts.Zip(expected.Chunk(2)), pair => Assert.Equal(content[pair.Second[0]..(pair.Second[0] + pair.Second[1])], pair.First.Bytes));
    }

    [Fact]
    [Trait("Protocol", "D4.60")]
    public async Task Get_1024Ranges_AreParts_AndOneMoreIsTheWhole()
    {
        var (path, content) = await PushAsync();
        static string Ranges(int count) => "bytes=" + string.Join(',', Enumerable.Range(0, count).Select(i => $"{i}-{i}"));

        using var most = await Client.SendAsync("GET", path, null, ("Range", Ranges(1024)));
        var parts = await PartsAsync(most);
        Assert.Equal(1024, parts.Count);
        Assert.Equal(content[..1024], parts.SelectMany(part => part.Bytes));

        using var tooMany = await Client.SendAsync("GET", path, null, ("Range", Ranges(1025)));
        tooMany.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(content, await tooMany.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.59")]
    [InlineData("\"DIGEST\"", HttpStatusCode.PartialContent)]
    [InlineData("W/\"DIGEST\"", HttpStatusCode.OK)]
    [InlineData("\"sha256:other\"", HttpStatusCode.OK)]
    [InlineData("Sat, 21 Nov 2026 08:00:00 GMT", HttpStatusCode.OK)]
    [InlineData("DIGEST", HttpStatusCode.OK)]
    public async Task Get_IfRange_AnswersAPartOfTheSameBytesOnly(string header, HttpStatusCode status)
    {
        var (path, content) = await PushAsync();
        var ifRange = header.Replace("DIGEST", Digest.Of(content).ToString(), StringComparison.Ordinal);

        using var get = await Client.SendAsync("GET", path, null, ("Range", "bytes=10-19"), ("If-Range", ifRange));

        get.AssertStatus(status);
        Assert.Equal(status == HttpStatusCode.OK ? content : content[10..20], await get.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D4.61")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300_000)]
    public async Task GetAndHead_StateTheSizeAndThatPartsAreServed(int size)
    {
        var repository = registry.NewRepository();
        var content = UploadSteps.NewContent(size);
        var digest = await Client.PushBlobAsync(repository, content);
        foreach (var method in (string[])["GET", "HEAD"])
        {
            using var answer = await Client.SendAsync(method, $"/v2/{repository}/blobs/{digest}");
            answer.AssertStatus(HttpStatusCode.OK);
            Assert.Equal("bytes", answer.RawHeader("Accept-Ranges"));
            Assert.Equal($"{size}", answer.RawHeader("Content-Length"));
            Assert.Equal(digest.ToString(), answer.RawHeader("Docker-Content-Digest"));
            Assert.Equal(method == "GET" ? content : [], await answer.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    [Trait("Protocol", "D4.61")]
    public async Task Head_WithARange_StatesTheWhole()
    {
        var (path, _) = await PushAsync();
        using var head = await Client.SendAsync("HEAD", path, null, ("Range", "bytes=0-9"));
        head.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(Size, head.Content.Headers.ContentLength);
    }

    [Fact]
    [Trait("Protocol", "D4.59")]
    public async Task Get_RangeOfAnEmptyBlob_IsTheWhole()
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushBlobAsync(repository, []);
        using var get = await Client.SendAsync("GET", $"/v2/{repository}/blobs/{digest}", null, ("Range", "bytes=0-"));
        get.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(0, get.Content.Headers.ContentLength);
    }

    private async Task<(string Path, byte[] Content)> PushAsync()
    {
        var repository = registry.NewRepository();
        var content = UploadSteps.NewContent(Size);
        return ($"/v2/{repository}/blobs/{await Client.PushBlobAsync(repository, content)}", content);
    }

    private static async Task<List<(long Offset, byte[] Bytes)>> PartsAsync(HttpResponseMessage response)
    {
        response.AssertStatus(HttpStatusCode.PartialContent);
        var type = response.Content.Headers.ContentType!;
        Assert.Equal("multipart/byteranges", type.MediaType);
        Assert.Null(response.RawHeader("Content-Range"));
        Assert.NotNull(response.Content.Headers.ContentLength);

        var reader = new MultipartReader(type.Parameters.Single(parameter => parameter.Name == "boundary").Value!, await response.Content.ReadAsStreamAsync());
        var parts = new List<(long, byte[])>();
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            Assert.Equal("application/octet-stream", section.ContentType);
            var range = System.Net.Http.Headers.ContentRangeHeaderValue.Parse(section.Headers!["Content-Range"].Single()!);
            Assert.Equal(("bytes", Size), (range.Unit, range.Length));
            using var bytes = new MemoryStream();
            await section.Body.CopyToAsync(bytes);
            Assert.Equal(range.To - range.From + 1, bytes.Length);
            parts.Add((range.From!.Value, bytes.ToArray()));
        }

        return parts;
    }
}
