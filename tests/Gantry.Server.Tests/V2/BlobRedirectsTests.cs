using System.Net;
using Gantry.Core;
using Gantry.Server.Tests.Scrub;
using Gantry.Server.V2;
using Gantry.Storage;
using Microsoft.AspNetCore.Http;

namespace Gantry.Server.Tests.V2;

/// <summary>Who is sent to the store, and with what.</summary>
[Trait("Protocol", "D4.63")]
public sealed class BlobRedirectsTests
{
    private static readonly Uri Target = new("https://store.example/bucket/blobs/61/0193b5a27c1e7d3f8a4b5c6d7e8f9a61?X-Signature=a%2Fb%2Bc");

    [Theory]
    [Trait("Protocol", "D4.64")]
    [InlineData("", "", "192.0.2.1", true)]
    [InlineData("", "10.0.0.0/8", "192.0.2.1", true)]
    [InlineData("", "10.0.0.0/8", "10.1.2.3", false)]
    [InlineData("", "10.0.0.0/8", "::ffff:10.1.2.3", false)]
    [InlineData("10.0.0.0/8 192.0.2.1", "", "192.0.2.1", true)]
    [InlineData("10.0.0.0/8 192.0.2.1", "", "::ffff:10.1.2.3", true)]
    [InlineData("10.0.0.0/8 192.0.2.1", "", "192.0.2.2", false)]
    [InlineData("10.0.0.0/8", "10.9.0.0/16", "10.9.2.3", false)]
    [InlineData("10.0.0.0/8", "10.9.0.0/16", "10.8.2.3", true)]
    [InlineData("2001:db8::/32", "", "2001:db8::1", true)]
    [InlineData("2001:db8::/32", "", "10.0.0.1", false)]
    [InlineData("10.0.0.0/8", "", null, false)]
    [InlineData("", "10.0.0.0/8", null, true)]
    public async Task Answer_IsForTheNetworksOfTheSettings(string allowed, string refused, string? client, bool isRedirected)
    {
        var http = Request(client: client);
        Assert.Equal(isRedirected, await Redirects(allowed, refused).TryAnswerAsync(http, new BlobLocation("blobs/61/0193")));
        Assert.Equal(isRedirected ? 307 : 200, http.Response.StatusCode);
    }

    [Fact]
    public async Task Answer_NamesThePlace_AndIsKeptByNobody()
    {
        var http = Request("bytes=5-9");
        http.Response.Headers.ETag = "\"sha256:abc\"";
        Assert.True(await Redirects().TryAnswerAsync(http, new BlobLocation("blobs/61/0193")));

        Assert.Equal(Target.OriginalString, http.Response.Headers.Location);
        Assert.Equal(("no-store", 0, 0), (http.Response.Headers.CacheControl.ToString(), http.Response.ContentLength, http.Response.Headers.ETag.Count));
    }

    [Theory]
    [InlineData("bytes=0-1,5-6", null)]
    [InlineData("bytes=0-1", "\"sha256:abc\"")]
    public async Task WhatAStoreWouldMisunderstand_IsAnsweredHere(string range, string? ifRange) =>
        Assert.False(await Redirects().TryAnswerAsync(Request(range, ifRange), new BlobLocation("blobs/61/0193")));

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("2001:db8::/32", true)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("office", false)]
    [InlineData("", false)]
    public void Network_IsAnAddressOrANetwork(string text, bool isOne) => Assert.Equal(isOne, NetworkList.Parse(text) is not null);

    private static BlobRedirects Redirects(string allowed = "", string refused = "") =>
        new(new StrangeStore(null!) { RedirectingAsync = _ => Task.FromResult<Uri?>(Target) }, new RedirectNetworks(Networks(allowed), Networks(refused)));

    private static NetworkList Networks(string texts) => new(texts.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static DefaultHttpContext Request(string? range = null, string? ifRange = null, string? client = "192.0.2.1")
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = client is null ? null : IPAddress.Parse(client);
        if (range is not null) http.Request.Headers.Range = range;
        if (ifRange is not null) http.Request.Headers.IfRange = ifRange;
        return http;
    }
}
