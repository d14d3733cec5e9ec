using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;
using Amazon.S3;

namespace Gantry.Storage.S3;

/// <summary>One process's way to the bucket: the SDK's client as this backend needs it, and the memory its uploads share.</summary>
public sealed class S3Connection : IDisposable
{
    private readonly HttpClient _http;
    private readonly AmazonS3Client _client;
    private readonly AmazonS3Client? _presigner;

    private S3Connection(S3Options options, X509ChainPolicy? trust)
    {
        Options = options;
        Schedule = PartSchedule.Of(options);
        Memory = new PartMemory((long)options.BufferBudget << 20);
        Keys = new S3Keys(options.Prefix);
        _http = new HttpClient(new SmallBodiesAtOnce(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.MaxConnections,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // A name's addresses change; idle connections are cut by whatever lies between.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
        }))
        {
            Timeout = options.Timeout,
        };
        _client = Connect(options.Endpoint);
        _presigner = options.PublicEndpoint.Length > 0 ? Connect(options.PublicEndpoint) : null;
    }

    internal S3Options Options { get; }

    internal S3Keys Keys { get; }

    internal PartSchedule Schedule { get; init; }

    internal PartMemory Memory { get; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What presigned URLs name.</summary>
    internal string PublicEndpoint => Options.PublicEndpoint.Length > 0 ? Options.PublicEndpoint : Options.Endpoint;

    internal IAmazonS3 Client => _client;

    /// <summary>Signs for the endpoint that clients reach; it sends nothing.</summary>
    internal IAmazonS3 Presigner => _presigner ?? _client;

    internal static bool IsHttps(string endpoint) => !endpoint.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    /// <param name="options">Without a fault (<see cref="S3OptionsCheck"/>).</param>
    /// <param name="trust">Who vouches for the endpoint's certificate; null: whom the machine trusts.</param>
    /// <param name="time">Of pauses, and of what presigned URLs say.</param>
    public static S3Connection Open(S3Options options, X509ChainPolicy? trust, TimeProvider time) => new(options, trust) { Time = time };

    /// <summary>With parts of another size than the settings allow, for tests.</summary>
    internal static S3Connection Open(S3Options options, PartSchedule schedule) => new(options, trust: null) { Schedule = schedule };

    public void Dispose()
    {
        _client.Dispose();
        _presigner?.Dispose();
        _http.Dispose();
    }

    private AmazonS3Client Connect(string endpoint)
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = Options.Region,
            ForcePathStyle = Options.ForcePathStyle,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = Options.Retries,
            // A store that refuses many requests at once would else be given up on after a few.
            ThrottleRetries = false,
            Timeout = Options.Timeout,
            RequestChecksumCalculation =
                Options.Checksums ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation =
                Options.Checksums ? ResponseChecksumValidation.WHEN_SUPPORTED : ResponseChecksumValidation.WHEN_REQUIRED,
            HttpClientFactory = new OneHttpClient(_http),
            LogResponse = false,
            DisableLogging = true,
        };
        if (endpoint.Length > 0) (config.ServiceURL, config.UseHttp) = (endpoint, !IsHttps(endpoint));
        else config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(Options.Region);

        return Options.AccessKey.Length > 0
            ? new AmazonS3Client(new BasicAWSCredentials(Options.AccessKey, Options.SecretKey), config)
            : new AmazonS3Client(config);
    }

    /// <summary>
    /// The SDK asks before every body (Expect: 100-continue). Where the answer is a refusal, .NET sends a body of up to 1 KiB
    /// all the same, to keep the connection, and Ceph reads it as the beginning of the next request: 405, and that refusal's
    /// body before the next one again, for as long as the connection lives. A small body costs less than the question.
    /// </summary>
    private sealed class SmallBodiesAtOnce(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private const int Small = 64 << 10;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content?.Headers.ContentLength <= Small) request.Headers.ExpectContinue = null;
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>All requests share one pool of connections, whose certificate check is ours.</summary>
    private sealed class OneHttpClient(HttpClient client) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;
    }
}
