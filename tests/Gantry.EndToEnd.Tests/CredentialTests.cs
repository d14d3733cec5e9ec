using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// Each kind of credential through each client: log in the way that client does, push to a private namespace, forget
/// everything, pull it back.
/// </summary>
public sealed class CredentialTests(Lab lab)
{
    private static readonly string[] Kinds = ["password", "access token", "robot", "keyless", "ldap"];
    private static readonly string[] Clients = ["docker", "podman", "skopeo", "ctr", "gantry", "helm", "oras"];

    public static TheoryData<string, string> Pairs() => new(from kind in Kinds from client in Clients select (kind, client));

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Credential_ThroughAClient_PushesAndPulls(string kind, string client)
    {
        var company = await lab.CompanyAsync();
        var login = await company.WriterAsync(kind);
        var repository = $"acme/{kind.Replace(' ', '-')}-{client}";
        var reference = $"{company.Registry.Host}/{repository}:v1";

        var (pushed, pulled) = client switch
        {
            "docker" => await DockerAsync(login, reference),
            "podman" => await PodmanAsync(login, reference),
            "skopeo" => await SkopeoAsync(login, reference),
            "ctr" => await CtrAsync(login, reference),
            "gantry" => await GantryAsync(login, reference),
            _ => await TokenSessionAsync(company.Registry, login, repository, oauth2: client == "oras"),
        };

        Assert.Equal(pushed, pulled);
        Assert.Equal(pushed, await company.Registry.DigestAsync(repository, "v1"));
    }

    [Fact]
    public async Task Robot_NeedsNoQuotesInAShell()
    {
        var company = await lab.CompanyAsync();
        var robot = await company.WriterAsync("robot");
        var reference = await company.SeedAsync(lab, "acme/shell");
        await lab.DockerAsync();
        var shell = new Command("bash", "-c") { Environment = lab.Home.Environment };

        // As one types it: what a shell would read as more than letters would not arrive.
        var login = await shell.TryAsync($"skopeo login --authfile {lab.NewFolder()}/auth.json -u {robot.User} -p {robot.Secret} {company.Registry.Host}");
        var inspect = await shell.TryAsync($"skopeo inspect --creds {robot.User}:{robot.Secret} docker://{reference}");
        var echo = await shell.RunAsync($"NAME={robot.User}; SECRET={robot.Secret}; echo $NAME $SECRET ~{robot.User}");

        Assert.Contains("Login Succeeded", login.Succeeded().Text);
        Assert.Equal(0, inspect.Succeeded().ExitCode);
        Assert.Equal($"{robot.User} {robot.Secret} ~{robot.User}\n", echo.Output);
    }

    private async Task<(string Pushed, string Pulled)> DockerAsync(Login login, string reference)
    {
        var docker = await lab.DockerAsync();
        var user = await docker.LogInAsync(lab.NewFolder(), HostOf(reference), login);
        await docker.LoadAsync(lab.Images, "tiny", reference);
        var pushed = await user.RunAsync("push", reference);
        await docker.WipeAsync();
        var pulled = await user.RunAsync("pull", reference);
        await docker.WipeAsync();
        return (DockerClient.Digest(pushed), DockerClient.Digest(pulled));
    }

    private async Task<(string Pushed, string Pulled)> PodmanAsync(Login login, string reference)
    {
        var podman = await lab.PodmanAsync();
        string[] auth = ["--authfile", Path.Combine(lab.NewFolder(), "auth.json")];
        var loggedIn = await podman.Tool.TryWithInputAsync(
            login.Secret, ["login", .. auth, "--username", login.User, "--password-stdin", HostOf(reference)]);
        loggedIn.Succeeded();
        await podman.LoadAsync(lab.Images, "tiny", reference);
        var pushed = await podman.PushAsync(reference, auth);
        await podman.WipeAsync();
        await podman.Tool.RunAsync(["pull", "-q", .. auth, reference]);
        var pulled = await podman.Tool.RunAsync("image", "inspect", "--format", "{{.Digest}}", reference);
        await podman.WipeAsync();
        return (pushed, pulled.Output.Trim());
    }

    private async Task<(string Pushed, string Pulled)> SkopeoAsync(Login login, string reference)
    {
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        var (folder, file) = (lab.NewFolder(), Path.Combine(lab.NewFolder(), "digest"));
        await skopeo.RunAsync("copy", "-q", "--preserve-digests", "--dest-creds", login.Pair,
            lab.Images.Layout("tiny"), $"docker://{reference}");
        await skopeo.RunAsync("copy", "-q", "--preserve-digests", "--src-creds", login.Pair, "--digestfile", file,
            $"docker://{reference}", $"dir:{folder}");
        return (lab.Images.Digest("tiny"), (await File.ReadAllTextAsync(file)).Trim());
    }

    private async Task<(string Pushed, string Pulled)> CtrAsync(Login login, string reference)
    {
        var ctr = await lab.CtrAsync();
        await ctr.LoadAsync(lab.Images, "tiny", reference);
        await ctr.Ctr.RunAsync("images", "push", "--plain-http", "--user", login.Pair, reference);
        await ctr.WipeAsync();
        await ctr.Ctr.RunAsync("images", "pull", "--plain-http", "--user", login.Pair, reference);
        var pulled = await ctr.DigestAsync(reference);
        await ctr.WipeAsync();
        return (lab.Images.Digest("tiny"), pulled);
    }

    private async Task<(string Pushed, string Pulled)> GantryAsync(Login login, string reference)
    {
        var gantry = await lab.GantryAsync();
        string[] auth = ["--authfile", Path.Combine(lab.NewFolder(), "auth.json")];
        var loggedIn = await gantry.Gantry.TryWithInputAsync(
            login.Secret, ["login", .. auth, "--username", login.User, "--password-stdin", HostOf(reference)]);
        loggedIn.Succeeded();
        var pushed = await gantry.Gantry.RunAsync(["push", "-q", .. auth, lab.Images.Folder("tiny"), reference]);
        var pulled = await gantry.Gantry.RunAsync(["pull", "-q", .. auth, reference]);
        await gantry.WipeAsync();
        return (GantryClient.Digest(pushed), GantryClient.Digest(pulled));
    }

    // helm 3.18 and later ask for pull, then for pull and push in the same session; oras asks for both by a POST.
    private static async Task<(string Pushed, string Pulled)> TokenSessionAsync(
        RegistryUnderTest registry, Login login, string repository, bool oauth2)
    {
        Lab.Say(oauth2 ? "drives the request sequence of oras-go 2" : "drives the request sequence of helm 3.18");
        using var session = new TokenSession(registry, login, oauth2);
        using var before = await session.SendAsync(HttpMethod.Head, $"/v2/{repository}/manifests/v1", accept: ManifestTypes.All);
        var pushed = await ArtifactPush.RunAsync(session, repository, "v1", "application/vnd.example.config", "payload", subject: null);

        // A process of its own: no token is left of the one that pushed.
        using var another = new TokenSession(registry, login, oauth2);
        using var manifest = await another.SendAsync(HttpMethod.Get, $"/v2/{repository}/manifests/v1", accept: ManifestTypes.All);
        var layer = (await manifest.Content.ReadFromJsonAsync<JsonNode>())!["layers"]![0]!["digest"]!.GetValue<string>();
        using var blob = await another.SendAsync(HttpMethod.Get, $"/v2/{repository}/blobs/{layer}");

        Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        Assert.Equal(
            [$"scope=\"repository:{repository}:pull\"", $"scope=\"repository:{repository}:pull,push\""],
            session.Challenges.Select(challenge => challenge.Split(',', 3)[2]));
        Assert.Equal("payload", await blob.Content.ReadAsStringAsync());
        return (pushed["digest"]!.GetValue<string>(), manifest.Headers.GetValues("Docker-Content-Digest").Single());
    }

    private static string HostOf(string reference) => reference[..reference.IndexOf('/', StringComparison.Ordinal)];
}
