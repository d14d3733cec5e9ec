using Gantry.EndToEnd.Tests.Running;
using Gantry.TestKit;

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// A registry with people, robots and namespaces in it, made by `gantry-server admin` beside the running server:
/// `acme` is private, and its writers may not push to `acme/prod-*`; `open` is public. It asks a directory for people's
/// passwords, and accepts tokens of an issuer, which runs in this process.
/// </summary>
internal sealed class Company : IAsyncDisposable
{
    private readonly Dictionary<string, Login> logins = [];
    private readonly Slapd slapd;

    private Company(RegistryUnderTest registry, Slapd directory, TestIssuer issuer) =>
        (Registry, slapd, Issuer) = (registry, directory, issuer);

    public TestIssuer Issuer { get; }

    public RegistryUnderTest Registry { get; }

    public AdminVerbs Admin => Registry.Admin;

    public static async Task<Company> MakeAsync(Lab lab)
    {
        var directory = await Slapd.StartAsync(lab.NewFolder());
        var issuer = await TestIssuer.StartAsync();
        var registry = await lab.RegistryAsync([.. directory.Settings, $"--Keyless:Issuers:ci:Issuer={issuer.Url}"]);
        var company = new Company(registry, directory, issuer);
        await company.Admin.RunAsync("namespace", "create", "acme");
        await company.Admin.RunAsync("rule", "add", "acme", "acme/prod-*", "--for", "writer", "--deny", "push");
        await company.Admin.RunAsync("namespace", "create", "open", "--visibility", "public");
        return company;
    }

    /// <summary>A writer of `acme` with this kind of credential, made when it is first asked for.</summary>
    public async Task<Login> WriterAsync(string kind)
    {
        if (logins.TryGetValue(kind, out var login)) return kind == "keyless" ? Job() : login;
        return logins[kind] = kind switch
        {
            "password" => await PersonAsync("alice"),
            "access token" => await LimitedAsync(await PersonAsync("bob")),
            "robot" => await RobotAsync("ci", "writer"),
            "keyless" => await TrustedJobAsync(),
            "ldap" => await DirectoryAsync(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of credential"),
        };
    }

    /// <summary>A robot of `acme` that may pull.</summary>
    public async Task<Login> ReaderAsync() =>
        logins.TryGetValue("reader", out var login) ? login : logins["reader"] = await RobotAsync("reader", "reader");

    /// <summary>A person with a password, writer of `acme`.</summary>
    public async Task<Login> PersonAsync(string name)
    {
        var password = await Admin.RunAsync("account", "create", name);
        await Admin.RunAsync("member", "set", "acme", name, "writer");
        return new Login(name, password);
    }

    /// <summary>A robot of `acme` with an access token that may what the robot may.</summary>
    public async Task<Login> RobotAsync(string name, string role)
    {
        var robot = await Admin.RunAsync("robot", "create", "acme", name, role);
        return new Login(robot, await Admin.RunAsync("token", "create", robot, "first"));
    }

    /// <summary>The same person by an access token for the repositories of `acme` alone.</summary>
    public async Task<Login> LimitedAsync(Login person) => person with
    {
        Secret = await Admin.RunAsync("token", "create", person.User, "laptop", "--scope", "repository:acme/*:pull,push"),
    };

    /// <summary>Brings the smallest image there by the administrator's hand, as tag v1, and returns its reference.</summary>
    public async Task<string> SeedAsync(Lab lab, string repository)
    {
        var reference = $"{Registry.Host}/{repository}:v1";
        await (await lab.SkopeoAsync()).Skopeo.RunAsync("copy", "-q", "--preserve-digests",
            "--dest-creds", $"{Registry.User}:{Registry.Password}", lab.Images.Layout("tiny"), $"docker://{reference}");
        return reference;
    }

    /// <summary>A fresh token of the issuer for a job, as the password of the name that says so.</summary>
    /// <param name="expires">Its `exp`; null: in five minutes.</param>
    public Login Job(DateTimeOffset? expires = null, string subject = "someone", string repository = "acme/app")
    {
        var claims = new List<(string, object?)> { ("sub", subject), ("repository", repository) };
        if (expires is { } end) claims.AddRange([("iat", null), ("nbf", null), ("exp", end.ToUnixTimeSeconds())]);
        return new Login("oidc", Issuer.Token([.. claims]));
    }

    public async ValueTask DisposeAsync()
    {
        await slapd.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    private async Task<Login> TrustedJobAsync()
    {
        var robot = await Admin.RunAsync("robot", "create", "acme", "keyless", "writer");
        await Admin.RunAsync("trust", "add", robot, "ci", "--claim", "repository=acme/*", "--scope", "repository:acme/*:pull,push");
        return Job();
    }

    // Her account is made by her first login; the role is her group's.
    private async Task<Login> DirectoryAsync()
    {
        await Admin.RunAsync("member", "set", "acme", $"group:ldap/{Slapd.Group}", "writer");
        return new Login(Slapd.Person, Slapd.Password);
    }
}
