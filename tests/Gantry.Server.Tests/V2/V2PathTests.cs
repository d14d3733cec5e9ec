using Gantry.Server.V2;

namespace Gantry.Server.Tests.V2;

[Trait("Protocol", "D3.54")]
public sealed class V2PathTests
{
    [Theory]
    [InlineData("", "Base", "", "")]
    [InlineData("/", "Base", "", "")]
    [InlineData("/_catalog", "Catalog", "", "")]
    [InlineData("/a/manifests/latest", "Manifest", "a", "latest")]
    [InlineData("/a/b/c/manifests/sha256:1", "Manifest", "a/b/c", "sha256:1")]
    [InlineData("/a/blobs/sha256:1", "Blob", "a", "sha256:1")]
    [InlineData("/a/blobs/uploads/", "Uploads", "a", "")]
    [InlineData("/a/blobs/uploads", "Uploads", "a", "")]
    [InlineData("/a/blobs/uploads/1-2", "Upload", "a", "1-2")]
    [InlineData("/a/tags/list", "Tags", "a", "")]
    [InlineData("/a/referrers/sha256:1", "Referrers", "a", "sha256:1")]
    [InlineData("/blobs/manifests/tags", "Manifest", "blobs", "tags")]
    [InlineData("/tags/list/tags/list", "Tags", "tags/list", "")]
    [InlineData("/a/manifests/b/manifests/c", "Manifest", "a/manifests/b", "c")]
    [InlineData("/a/blobs/uploads/blobs/uploads/", "Uploads", "a/blobs/uploads", "")]
    [InlineData("/a/blobs/uploads/blobs/uploads/1", "Upload", "a/blobs/uploads", "1")]
    [InlineData("/a/blobs/uploads/manifests/v1", "Manifest", "a/blobs/uploads", "v1")]
    [InlineData("/uploads/blobs/sha256:1", "Blob", "uploads", "sha256:1")]
    [InlineData("/referrers/referrers/referrers/sha256:1", "Referrers", "referrers/referrers", "sha256:1")]
    public void Accepts_NamesHoldingTheWordsOfThePath(string path, string resource, string name, string last)
    {
        Assert.True(V2Path.TryParse(path, out var parsed));
        Assert.Equal((resource, name, last), (parsed.Resource.ToString(), parsed.Name, parsed.Last));
    }

    [Theory]
    [InlineData("/a")]
    [InlineData("/a/b")]
    [InlineData("/manifests/latest")]
    [InlineData("//manifests/")]
    [InlineData("/a/manifests/")]
    [InlineData("/a/blobs/")]
    [InlineData("/a/tags")]
    [InlineData("/a/tags/list/")]
    [InlineData("/a/uploads/1")]
    [InlineData("/blobs/uploads/")]
    [InlineData("/_catalog/")]
    public void Rejects_WhatNamesNothing(string path) => Assert.False(V2Path.TryParse(path, out _));
}
