using Gantry.Engine.Credentials;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote;

/// <summary>How registries are talked to. The defaults are those of the command without options.</summary>
public sealed record RemoteOptions
{
    /// <summary>Plain HTTP for every registry. Without it loopback hosts are asked over HTTPS first and over HTTP where they speak no TLS; no other host is.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>PEM certificates to trust beside the system's, for every host.</summary>
    public string? CaFile { get; init; }

    /// <summary>Certificates are not looked at, of no host. For tests of a registry, not for use.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>Mirrors and TLS settings by host.</summary>
    public RegistriesFile Registries { get; init; } = RegistriesFile.Empty;

    /// <summary>Null: nobody is logged in anywhere.</summary>
    public ICredentialSource? Credentials { get; init; }

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Until an answer's headers are there; of an upload, since its last bytes went out.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a body may bring no byte before its connection counts as cut.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often one endpoint is asked in a row without bringing anything. 1: never again.</summary>
    public int MaxTries { get; init; } = 5;

    /// <summary>Before the second try; doubled before each further one.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>No pause is longer, whatever a <c>Retry-After</c> says.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Told, in sentences without secrets, what went wrong and was mended: a mirror passed over, a connection cut. Called by many threads
    /// at a time.
    /// </summary>
    public Action<string>? Notes { get; init; }

    /// <summary>Null: the environment's. Tests put their own in.</summary>
    internal System.Net.IWebProxy? Proxy { get; init; }

    /// <summary>Names to addresses and addresses to connections; tests put their own in.</summary>
    internal Dialing Dialing { get; init; } = Dialing.System;
}
