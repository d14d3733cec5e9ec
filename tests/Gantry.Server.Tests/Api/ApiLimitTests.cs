using System.Net;
using System.Net.Http.Json;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Trait("Speed", "Slow")]
public sealed class ApiLimitTests
{
    [Theory]
    [InlineData("Limits:RequestsPerMinutePerAddress=3")]
    [InlineData("Limits:RequestsPerMinutePerAccount=3")]
    public async Task Requests_BeyondTheLimit_AreRefusedWithRetryAfter_WhateverTheirMethod(string limit)
    {
        await using var server = await RegistryServer.StartAsync(limit);
        using var client = server.Client();
        for (var i = 0; i < 3; i++)
        {
            using var patch = await client.PatchAsJsonAsync("/api/v1/accounts/self", new { displayName = $"{i}" });
            Assert.Equal(HttpStatusCode.OK, patch.StatusCode);
        }

        using var refused = await client.PatchAsJsonAsync("/api/v1/accounts/self", new { displayName = "x" });
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
    }
}
