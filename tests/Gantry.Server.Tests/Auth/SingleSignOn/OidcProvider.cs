using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gantry.Server.Tests.Auth;

/// <summary>npm's certified oidc-provider as a process of its own; see provider/provider.mjs.</summary>
internal sealed class OidcProvider : IAsyncDisposable
{
    public const string ClientId = "gantry: the registry", Secret = "s3cret:+ %/of the test";

    private static readonly JsonSerializerOptions WithoutNulls = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly HttpClient _control;

    private OidcProvider(Process process, Task<string> errors, string issuer)
    {
        (_process, _errors, Issuer) = (process, errors, issuer);
        _control = new HttpClient { BaseAddress = new Uri(issuer) };
    }

    public string Issuer { get; }

    /// <param name="name">What the registry calls it.</param>
    /// <param name="algorithm">Of its ID tokens.</param>
    /// <param name="groupsInIdToken">False: the ID token names nobody, and the registry has to ask for the profile.</param>
    /// <param name="clientAuthentication">How the registry proves itself; none: it is a public client.</param>
    public static async Task<OidcProvider> StartAsync(
        string name, string algorithm, bool groupsInIdToken, string clientAuthentication = "client_secret_basic")
    {
        var secret = clientAuthentication == "none" ? null : Secret;
        var settings = JsonSerializer.Serialize(new
        {
            alg = algorithm,
            groupsInIdToken,
            client = new
            {
                client_id = ClientId, client_secret = secret, token_endpoint_auth_method = clientAuthentication,
                // The redirect URI of a native client may have any port on a loopback address (RFC 8252, 7.3).
                application_type = "native", redirect_uris = new[] { $"http://127.0.0.1/sso/{name}/callback" },
            },
        }, WithoutNulls);
        var folder = Folder();
        var process = Process.Start(new ProcessStartInfo("node", ["provider.mjs", settings])
        {
            WorkingDirectory = folder, UseShellExecute = false,
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var issuer = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"the provider did not start; is 'npm ci' done in {folder}?\n{await errors}");
        return new OidcProvider(process, errors, issuer);
    }

    /// <summary>The registry's settings for it, beside which more can be given.</summary>
    public IEnumerable<string> Settings(string name, bool isPublic = false) =>
    [
        $"SingleSignOn:Providers:{name}:Issuer={Issuer}", $"SingleSignOn:Providers:{name}:ClientId={ClientId}",
        .. isPublic ? Array.Empty<string>() : [$"SingleSignOn:Providers:{name}:ClientSecret={Secret}"],
    ];

    /// <summary>What it says of somebody from now on.</summary>
    public async Task SetAsync(string subject, string? name, params string[] groups)
    {
        var claims = new { preferred_username = name, name = "Somebody of the test", email = $"{subject}@example.com", groups };
        (await _control.PutAsJsonAsync($"/test/people/{subject}", claims)).EnsureSuccessStatusCode();
    }

    /// <summary>Signs with a new key from now on.</summary>
    public async Task RotateAsync() => (await _control.PostAsync("/test/rotate", null)).EnsureSuccessStatusCode();

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    private static string Folder()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Registry.sln"))) root = Path.GetDirectoryName(root)!;
        return Path.Combine(root, "tests/Gantry.Server.Tests/Auth/SingleSignOn/provider");
    }
}
