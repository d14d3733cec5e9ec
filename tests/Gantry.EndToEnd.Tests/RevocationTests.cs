using System.Net;
using System.Net.Http.Headers;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>What has been taken away is gone at once, whatever a client has kept of it.</summary>
public sealed class RevocationTests(Lab lab)
{
    [Fact]
    public async Task DisabledAccount_EndsDockersLoginAndBearerTokens()
    {
        var company = await lab.CompanyAsync();
        var reference = await company.SeedAsync(lab, "acme/revoked");
        var carol = await company.PersonAsync("carol");
        var folder = lab.NewFolder();
        var docker = await (await lab.DockerAsync()).LogInAsync(folder, company.Registry.Host, carol);
        using var session = new TokenSession(company.Registry, carol, oauth2: true);
        using var tags = await session.SendAsync(HttpMethod.Get, "/v2/acme/revoked/tags/list");
        var before = await docker.TryAsync("pull", reference);
        var gantry = await lab.GantryAsync();
        string[] pullWithDockersLogin = ["pull", "--authfile", Path.Combine(folder, "config.json"), reference];
        var gantryBefore = await gantry.Gantry.TryAsync(pullWithDockersLogin);

        await company.Admin.RunAsync("account", "set", carol.User, "--disabled", "true");
        var after = await docker.TryAsync("pull", reference);
        var gantryAfter = await gantry.Gantry.TryAsync(pullWithDockersLogin);
        await gantry.WipeAsync();
        var bearer = await StatusAsync(company, session.Token);

        // docker has kept a token of the registry's, not the password.
        var kept = await File.ReadAllTextAsync(Path.Combine(folder, "config.json"));
        Assert.Contains("identitytoken", kept);
        Assert.Equal(0, before.Succeeded().ExitCode);
        Assert.Equal(HttpStatusCode.OK, tags.StatusCode);
        Assert.NotEqual(0, after.ExitCode);
        Assert.Contains("unauthorized: the login has expired or was ended; log in again", after.Text);
        Assert.Equal(0, gantryBefore.Succeeded().ExitCode);
        Assert.Equal(GantryClient.Denied, gantryAfter.ExitCode);
        Assert.Contains("the login has expired or was ended; log in again", gantryAfter.Text);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer);
    }

    [Fact]
    public async Task RevokedAccessToken_EndsDockersLoginAndBearerTokens()
    {
        var company = await lab.CompanyAsync();
        var reference = await company.SeedAsync(lab, "acme/revoked");
        var robot = await company.RobotAsync("laid-off", "writer");
        var docker = await (await lab.DockerAsync()).LogInAsync(lab.NewFolder(), company.Registry.Host, robot);
        using var session = new TokenSession(company.Registry, robot, oauth2: false);
        using var tags = await session.SendAsync(HttpMethod.Get, "/v2/acme/revoked/tags/list");
        var before = await docker.TryAsync("pull", reference);

        var id = (await company.Admin.RunAsync("token", "list", robot.User)).Split(' ')[0];
        await company.Admin.RunAsync("token", "revoke", robot.User, id);
        var after = await docker.TryAsync("pull", reference);
        var another = await (await lab.SkopeoAsync()).Skopeo.TryAsync("inspect", "--creds", robot.Pair, $"docker://{reference}");
        var ours = await lab.GantryAsync();
        var gantry = await ours.Gantry.TryAsync(["pull", .. ours.As(robot, reference), reference]);
        var bearer = await StatusAsync(company, session.Token);

        Assert.Equal(0, before.Succeeded().ExitCode);
        Assert.Equal(HttpStatusCode.OK, tags.StatusCode);
        Assert.NotEqual(0, after.ExitCode);
        Assert.Contains("unauthorized: the login has expired or was ended; log in again", after.Text);
        Assert.NotEqual(0, another.ExitCode);
        Assert.Contains("unauthorized: incorrect username or password", another.Text);
        Assert.Equal(GantryClient.Denied, gantry.ExitCode);
        Assert.Contains("incorrect username or password", gantry.Text);
        Assert.Equal(HttpStatusCode.Unauthorized, bearer);
    }

    private static async Task<HttpStatusCode> StatusAsync(Company company, string token)
    {
        using var http = company.Registry.Http(anonymous: true);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await http.GetAsync("/v2/acme/revoked/tags/list");
        return answer.StatusCode;
    }
}
