using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Access;

/// <summary>
/// A stranger cannot tell a private repository from one that is not there, nor from a namespace that is not there: whole
/// answers are compared, but for the date, the request id, and the name that was asked for.
/// </summary>
[Collection(typeof(DecisionCollection))]
[Trait("Speed", "Slow")]
public sealed class HiddenRepositoryTests(DecisionWorlds worlds)
{
    // Of one length, so that the answers are too.
    private const string Private = "closed/app", WithoutRepository = "closed/abc", WithoutNamespace = "absent/app";

    [Theory]
    [InlineData("None", "nobody", "none")]
    [InlineData("None", "stranger", "password")]
    [InlineData("None", "stranger", "bearer")]
    [InlineData("Pull", "nobody", "none")]
    [InlineData("Pull", "nobody", "bearer")]
    [InlineData("Pull", "stranger", "password")]
    [InlineData("Pull", "stranger", "bearer")]
    [InlineData("Pull", "stranger", "pat")]
    [InlineData("Pull", "stranger", "pat-as-bearer")]
    [InlineData("Pull", "robot-maintainer", "pat")]
    [InlineData("Pull", "maintainer", "other-pat")]
    [InlineData("Pull", "maintainer", "other-pat-as-bearer")]
    [InlineData("Pull", "maintainer", "other-pat-to-bearer")]
    [InlineData("Pull", "maintainer", "api-pat")]
    [InlineData("Pull", "admin", "other-pat")]
    public async Task Answers_AreTheSame_WhateverThereIs(string setting, string actor, string credential)
    {
        var world = await worlds.GetAsync(setting);
        var manifest = await world.Admin.PushImageAsync(Private, "v1");
        var upload = await world.Admin.StartUploadAsync(Private);

        foreach (var (method, path) in Requests(manifest, upload.Split('/')[^1]))
        {
            var answers = new List<string>();
            foreach (var repository in (string[])[Private, WithoutRepository, WithoutNamespace])
            {
                foreach (var scope in (string[])[$"repository:{repository}:pull", $"repository:{repository}:pull,push,delete"])
                {
                    var authorization = await world.AuthorizationAsync(actor, credential, scope);
                    answers.Add(await AnswerAsync(world, method, repository, path, authorization));
                }
            }

            var answer = Assert.Single(answers.Distinct());
            Assert.Contains(actor == "nobody" || credential.EndsWith("bearer", StringComparison.Ordinal) ? "401\n" : "404\n", answer);
        }
    }

    [Fact]
    public async Task Answers_ToSomebodyWhoMayPull_Differ()
    {
        var world = await worlds.GetAsync("Pull");
        var authorization = await world.AuthorizationAsync("reader", "password", "");

        var there = await AnswerAsync(world, "GET", Private, "/manifests/v1", authorization);
        Assert.StartsWith("200\n", there, StringComparison.Ordinal);
        Assert.NotEqual(there, await AnswerAsync(world, "GET", WithoutRepository, "/manifests/v1", authorization));
        Assert.NotEqual(there, await AnswerAsync(world, "GET", WithoutNamespace, "/manifests/v1", authorization));
    }

    [Theory]
    [InlineData("nobody", "none")]
    [InlineData("stranger", "password")]
    [InlineData("stranger", "pat")]
    public async Task Token_IsGiven_AndHoldsNothing_WhateverThereIs(string actor, string credential)
    {
        var world = await worlds.GetAsync("Pull");
        foreach (var repository in (string[])[Private, WithoutRepository, WithoutNamespace])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/token?service=gantry&scope=repository:{repository}:pull,push,delete");
            if (await world.AuthorizationAsync(actor, credential, "") is { } authorization)
                Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
            using var response = await world.Nobody.SendAsync(request);
            Assert.True(response.IsSuccessStatusCode);
            using var reply = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            var claims = reply.RootElement.GetProperty("token").GetString()!.Split('.')[1];
            using var payload = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(claims));
            Assert.Equal("[]", payload.RootElement.GetProperty("access").GetRawText());
        }
    }

    private static IEnumerable<(string Method, string Path)> Requests(Digest manifest, string upload) =>
    [
        ("GET", "/manifests/v1"), ("HEAD", "/manifests/v1"), ("GET", "/manifests/no-such-tag"), ("GET", $"/manifests/{manifest}"),
        ("PUT", "/manifests/v1"), ("DELETE", "/manifests/v1"), ("DELETE", $"/manifests/{manifest}"),
        ("GET", $"/blobs/{DecisionWorld.Blob}"), ("HEAD", $"/blobs/{DecisionWorld.Blob}"), ("DELETE", $"/blobs/{DecisionWorld.Blob}"),
        ("GET", "/tags/list"), ("GET", "/tags/list?n=1&last=a"), ("GET", $"/referrers/{manifest}"), ("POST", "/blobs/uploads/"),
        ("POST", $"/blobs/uploads/?mount={DecisionWorld.Blob}"), ("POST", $"/blobs/uploads/?mount={DecisionWorld.Blob}&from=open/app"),
        ("GET", $"/blobs/uploads/{upload}"), ("PATCH", $"/blobs/uploads/{upload}"), ("DELETE", $"/blobs/uploads/{upload}"),
        ("PUT", $"/blobs/uploads/{upload}?digest={DecisionWorld.Blob}"),
    ];

    /// <summary>Status, headers and body as text, without what differs from one request to the next.</summary>
    private static async Task<string> AnswerAsync(
        DecisionWorld world, string method, string repository, string path, string? authorization)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/v2/{repository}{path}");
        if (method is "PUT" or "PATCH") request.Content = RegistryClient.Bytes("{}"u8.ToArray());
        if (authorization is not null) Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
        using var response = await world.Nobody.SendAsync(request);

        var text = new StringBuilder($"{(int)response.StatusCode}\n");
        var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated);
        foreach (var (name, values) in headers.OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (name is not ("Date" or "X-Request-ID")) text.Append($"{name}: {values}\n");
        }

        text.Append(await response.Content.ReadAsStringAsync());
        if (response.Headers.TryGetValues("X-Request-ID", out var id)) text.Replace(id.Single(), "ID");
        return text.Replace(repository, "REPOSITORY").Replace($"namespace {repository.Split('/')[0]}", "namespace NAMESPACE").ToString();
    }
}
