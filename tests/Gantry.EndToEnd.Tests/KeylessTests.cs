using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>A job's docker login by a token of its CI system, which is gone long before the job is done.</summary>
public sealed class KeylessTests(Lab lab)
{
    // What the registry grants clocks that differ.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task DockerLogin_OutlivesTheJobsToken_AndEndsWithTheTrust()
    {
        var company = await lab.CompanyAsync();
        var robot = await company.Admin.RunAsync("robot", "create", "acme", "nightly", "writer");
        var trust = await company.Admin.RunAsync("trust", "add", robot, "ci", "--claim", "sub=nightly");
        // Of a repository that the trust of other tests does not take: the first one that matches would stand for it.
        var job = company.Job(TimeProvider.System.GetUtcNow() - ClockSkew + TimeSpan.FromSeconds(15), "nightly", "elsewhere/app");
        var reference = $"{company.Registry.Host}/acme/nightly:v1";
        var (docker, folder) = (await lab.DockerAsync(), lab.NewFolder());

        var user = await docker.LogInAsync(folder, company.Registry.Host, job);
        await UntilRefusedAsync(company, job);
        var again = await docker.With(lab.NewFolder()).TryWithInputAsync(
            job.Secret, "login", "--username", job.User, "--password-stdin", company.Registry.Host);
        await docker.LoadAsync(lab.Images, "tiny", reference);
        var push = await user.TryAsync("push", reference);
        await docker.WipeAsync();
        var pull = await user.TryAsync("pull", reference);
        var gantry = await lab.GantryAsync();
        string[] pullWithDockersLogin = ["pull", "--authfile", Path.Combine(folder, "config.json"), reference];
        var gantryPull = await gantry.Gantry.TryAsync(pullWithDockersLogin);
        await company.Admin.RunAsync("trust", "remove", robot, trust.Split(' ')[0]);
        var without = await user.TryAsync("pull", reference);
        var gantryWithout = await gantry.Gantry.TryAsync(pullWithDockersLogin);
        await gantry.WipeAsync();

        Assert.DoesNotContain(job.Secret, await File.ReadAllTextAsync(Path.Combine(folder, "config.json")));
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("the token has expired", again.Text);
        Assert.Contains("digest: sha256:", push.Succeeded().Text);
        Assert.Equal(0, pull.Succeeded().ExitCode);
        Assert.NotEqual(0, without.ExitCode);
        Assert.Contains("the login has expired or was ended; log in again", without.Text);
        Assert.Equal(0, gantryPull.Succeeded().ExitCode);
        Assert.Equal(GantryClient.Denied, gantryWithout.ExitCode);
    }

    // There is no event to await: it is the registry's clock.
    private static async Task UntilRefusedAsync(Company company, Login job)
    {
        using var http = company.Registry.Http(anonymous: true);
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(job.Pair)));
        while (true)
        {
            using var answer = await http.GetAsync("/token");
            if (answer.StatusCode == HttpStatusCode.Unauthorized) return;
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }
}
