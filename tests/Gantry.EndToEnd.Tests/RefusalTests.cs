using System.Text.RegularExpressions;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>
/// What a person reads when the registry says no. docker, podman, skopeo and gantry print what was asked, what is granted, by which
/// rule, and the id of the request. ctr prints `insufficient_scope` and nothing else.
/// </summary>
public sealed partial class RefusalTests(Lab lab)
{
    private const string Stranger = "without an account one may pull from public namespaces alone";

    [Theory]
    [InlineData("docker")]
    [InlineData("podman")]
    [InlineData("skopeo")]
    [InlineData("ctr")]
    [InlineData("gantry")]
    public async Task Push_ThatARuleForbids_NamesTheRule(string client)
    {
        var company = await lab.CompanyAsync();
        var alice = await company.WriterAsync("password");
        var push = await PushAsync(client, alice, $"{company.Registry.Host}/acme/prod-{client}:v1");

        Refused(push, client, $"asked for pull,push on acme/prod-{client}; granted is pull "
            + "(role writer in acme; rule #: writer may not push acme/prod-*)");
    }

    [Theory]
    [InlineData("docker")]
    [InlineData("podman")]
    [InlineData("skopeo")]
    [InlineData("ctr")]
    [InlineData("gantry")]
    public async Task Push_ByARobotThatMayPull_NamesItsRole(string client)
    {
        var company = await lab.CompanyAsync();
        var reader = await company.ReaderAsync();
        var push = await PushAsync(client, reader, $"{company.Registry.Host}/acme/read-{client}:v1");

        Refused(push, client, $"asked for pull,push on acme/read-{client}; granted is pull (role reader in acme)");
    }

    [Theory]
    [InlineData("docker")]
    [InlineData("podman")]
    [InlineData("skopeo")]
    [InlineData("ctr")]
    [InlineData("gantry")]
    public async Task PublicNamespace_WithoutALogin_MayBePulledAndNotPushed(string client)
    {
        var company = await lab.CompanyAsync();
        var reference = await company.SeedAsync(lab, $"open/{client}");
        var pull = await PullAsync(client, login: null, reference);
        var push = await PushAsync(client, login: null, $"{company.Registry.Host}/open/{client}:v2");

        Assert.Equal(0, pull.Succeeded().ExitCode);
        Refused(push, client, $"asked for pull,push on open/{client}; granted is pull (open is public)");
    }

    [Theory]
    [InlineData("docker")]
    [InlineData("podman")]
    [InlineData("skopeo")]
    [InlineData("ctr")]
    [InlineData("gantry")]
    public async Task PrivateNamespace_WithoutALogin_LooksAsIfItWereNotThere(string client)
    {
        var company = await lab.CompanyAsync();
        var reference = await company.SeedAsync(lab, "acme/hidden");
        var there = await PullAsync(client, login: null, reference);
        var missing = await PullAsync(client, login: null, $"{company.Registry.Host}/acme/missing:v1");

        Refused(there, client, $"asked for pull on acme/hidden; granted is nothing ({Stranger})");
        Refused(missing, client, $"asked for pull on acme/missing; granted is nothing ({Stranger})");
        if (client is "docker" or "ctr") Assert.Contains("pull access denied", there.Text);
    }

    private static void Refused(CommandResult result, string client, string why)
    {
        Lab.Say(result.Text);
        Assert.NotEqual(0, result.ExitCode);
        // While its push still writes the body as the answer comes, containerd 1.6 names the pipe that it closed on itself.
        if (client == "ctr") Assert.Matches("insufficient_scope: authorization failed|failed to copy: io: read/write on closed pipe", result.Text);
        else Assert.Contains($"{(client == "gantry" ? "" : "denied: ")}{why} (request #)", Varying().Replace(result.Text, "#"));
        if (client == "gantry") Assert.Equal(GantryClient.Denied, result.ExitCode);
    }

    private async Task<CommandResult> PushAsync(string client, Login? login, string reference)
    {
        if (client == "skopeo")
        {
            return await (await lab.SkopeoAsync()).Skopeo.TryAsync(["copy", "-q", .. SkopeoCredentials("dest-", login),
                lab.Images.Layout("tiny"), $"docker://{reference}"]);
        }

        if (client == "gantry")
        {
            var gantry = await lab.GantryAsync();
            return await gantry.Gantry.TryAsync(["push", .. gantry.As(login, reference), lab.Images.Folder("tiny"), reference]);
        }

        var store = await lab.ClientAsync(client);
        await store.LoadAsync(lab.Images, "tiny", reference);
        var push = client switch
        {
            "docker" => await (await DockerAsync(login, reference)).TryAsync("push", reference),
            "podman" => await (await lab.PodmanAsync()).Tool.TryAsync(["push", .. Credentials("--creds", login), reference]),
            _ => await (await lab.CtrAsync()).Ctr.TryAsync(
                ["images", "push", "--plain-http", .. Credentials("--user", login), reference]),
        };
        await store.WipeAsync();
        return push;
    }

    private async Task<CommandResult> PullAsync(string client, Login? login, string reference) => client switch
    {
        "docker" => await (await DockerAsync(login, reference)).TryAsync("pull", reference),
        "podman" => await (await lab.PodmanAsync()).Tool.TryAsync(["pull", .. Credentials("--creds", login), reference]),
        "skopeo" => await (await lab.SkopeoAsync()).Skopeo.TryAsync(
            ["inspect", .. SkopeoCredentials("", login), $"docker://{reference}"]),
        "gantry" => await GantryPullAsync(login, reference),
        _ => await (await lab.CtrAsync()).Ctr.TryAsync(
            ["images", "pull", "--plain-http", .. Credentials("--user", login), reference]),
    };

    private async Task<CommandResult> GantryPullAsync(Login? login, string reference)
    {
        var gantry = await lab.GantryAsync();
        var pull = await gantry.Gantry.TryAsync(["pull", .. gantry.As(login, reference), reference]);
        await gantry.WipeAsync();
        return pull;
    }

    private async Task<Command> DockerAsync(Login? login, string reference)
    {
        var docker = await lab.DockerAsync();
        return login is null
            ? docker.With(lab.NewFolder())
            : await docker.LogInAsync(lab.NewFolder(), reference[..reference.IndexOf('/', StringComparison.Ordinal)], login);
    }

    private static string[] Credentials(string option, Login? login) => login is null ? [] : [option, login.Pair];

    private static string[] SkopeoCredentials(string side, Login? login) =>
        login is null ? [$"--{side}no-creds"] : [$"--{side}creds", login.Pair];

    // The number of a rule, the id of a request.
    [GeneratedRegex(@"(?<=rule )\d+|(?<=\(request )[^)]+")]
    private static partial Regex Varying();
}
