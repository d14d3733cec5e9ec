using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// A registry with people, robots and namespaces in it, made by `gantry-server admin` beside the running server:
/// `acme` is private, and its writers may not push to `acme/prod-*`; `open` is public.
/// </summary>
internal sealed class Company
{
    private readonly Dictionary<string, Login> logins = [];

    private Company(RegistryUnderTest registry) => Registry = registry;

    public RegistryUnderTest Registry { get; }

    public AdminVerbs Admin => Registry.Admin;

    public static async Task<Company> MakeAsync(Lab lab)
    {
        var company = new Company(await lab.RegistryAsync("--Access:Throttle:FailuresPerAccountAndAddress=1000"));
        await company.Admin.RunAsync("namespace", "create", "acme");
        await company.Admin.RunAsync("rule", "add", "acme", "acme/prod-*", "--for", "writer", "--deny", "push");
        await company.Admin.RunAsync("namespace", "create", "open", "--visibility", "public");
        return company;
    }

    /// <summary>A writer of `acme` with this kind of credential, made when it is first asked for.</summary>
    public async Task<Login> WriterAsync(string kind)
    {
        if (logins.TryGetValue(kind, out var login)) return login;
        return logins[kind] = kind switch
        {
            "password" => await PersonAsync("alice"),
            "access token" => await LimitedAsync(await PersonAsync("bob")),
            "robot" => await RobotAsync("ci", "writer"),
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
}
