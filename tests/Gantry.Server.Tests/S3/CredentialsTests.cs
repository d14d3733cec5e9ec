using System.Collections.Concurrent;
using System.Net;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gantry.Server.Tests.S3;

/// <summary>
/// A server without keys in its settings finds them where the SDK looks: the environment, a web identity (Kubernetes on AWS), the
/// role of a container or of a machine. The endpoints of those are played here; the keys that they give are the real store's.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class CredentialsTests
{
    [Theory]
    [InlineData("environment", null)]
    [InlineData("web identity", "POST /sts/")]
    [InlineData("container", "GET /container")]
    [InlineData("machine", "GET /latest/meta-data/iam/security-credentials/registry")]
    public async Task WithoutKeys_TheSdksChainIsAsked(string source, string? request)
    {
        var bucket = await S3Server.CreateBucketAsync();
        await using var roles = await Roles.StartAsync(bucket);
        await using var database = await TestDatabase.CreateAsync();
        var folder = Directory.CreateTempSubdirectory("gantry-test-");
        try
        {
            var settings = bucket.Settings.Where(setting => !setting.Key.EndsWith("Key", StringComparison.Ordinal)).Select(setting => $"--{setting.Key}={setting.Value}");
            await using var server = ServerProcess.Launch(folder.FullName,
            [
                "serve", .. settings, "--urls=http://127.0.0.1:0", $"--Data:Root={folder.FullName}",
                $"--ConnectionStrings:Registry={database.ConnectionString}", $"--Access:AdminPassword={RegistryServer.Password}",
            ], await EnvironmentOfAsync(source, bucket, roles.Address, folder.FullName));
            using var client = new HttpClient { BaseAddress = await server.ListeningAsync() };
            client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);

            var digest = await client.PushBlobAsync("a/b", [1, 2, 3]);

            Assert.Equal([1, 2, 3], await client.GetByteArrayAsync($"/v2/a/b/blobs/{digest}"));
            if (request is null) Assert.Empty(roles.Requests);
            else Assert.Contains(request, roles.Requests);
            Assert.DoesNotContain(bucket.SecretKey, server.Output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<Dictionary<string, string>> EnvironmentOfAsync(string source, S3Bucket bucket, string roles, string folder)
    {
        // Neither the keys of whoever runs the tests nor of the machine that they run on.
        Dictionary<string, string> environment = new()
        {
            ["AWS_EC2_METADATA_DISABLED"] = source == "machine" ? "false" : "true",
            ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder, "none"), ["AWS_CONFIG_FILE"] = Path.Combine(folder, "none"),
        };
        switch (source)
        {
            case "environment":
                (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) = (bucket.AccessKey, bucket.SecretKey);
                break;
            case "web identity":
                var token = Path.Combine(folder, "token");
                await File.WriteAllTextAsync(token, "a.web.identity");
                (environment["AWS_ROLE_ARN"], environment["AWS_WEB_IDENTITY_TOKEN_FILE"]) = ("arn:aws:iam::123456789012:role/registry", token);
                (environment["AWS_ENDPOINT_URL_STS"], environment["AWS_REGION"]) = ($"{roles}/sts", S3Server.Region);
                break;
            case "container":
                environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = $"{roles}/container";
                break;
            default:
                environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = roles;
                break;
        }

        return environment;
    }

    /// <summary>Gives the bucket's keys as each of AWS's services would.</summary>
    private sealed class Roles(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentQueue<string> Requests { get; } = [];

        public string Address => app.Urls.First();

        public static async Task<Roles> StartAsync(S3Bucket bucket)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var roles = new Roles(app);
            app.Run(context =>
            {
                roles.Requests.Enqueue($"{context.Request.Method} {context.Request.Path}");
                return context.Response.WriteAsync(context.Request.Path.Value switch
                {
                    "/latest/api/token" => "session",
                    "/latest/meta-data/iam/security-credentials" or "/latest/meta-data/iam/security-credentials/" => "registry",
                    "/sts" or "/sts/" => OfSts(bucket),
                    _ => OfRole(bucket),
                });
            });
            await app.StartAsync();
            return roles;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private static string OfRole(S3Bucket bucket) =>
            $$"""
              {"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"{{DateTime.UtcNow.AddHours(6):s}}Z",
               "AccessKeyId":"{{bucket.AccessKey}}","SecretAccessKey":"{{bucket.SecretKey}}","Token":""}
              """;

        private static string OfSts(S3Bucket bucket) =>
            $"""
             <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
             <Credentials><AccessKeyId>{bucket.AccessKey}</AccessKeyId><SecretAccessKey>{bucket.SecretKey}</SecretAccessKey><SessionToken>a-session</SessionToken>
             <Expiration>{DateTime.UtcNow.AddHours(6):s}Z</Expiration></Credentials>
             <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/registry/test</Arn><AssumedRoleId>A:test</AssumedRoleId></AssumedRoleUser>
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
             """;
    }
}
