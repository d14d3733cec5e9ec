using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>The contract of the program: verbs, exit codes (0, 1 failure, 2 bad usage or configuration), settings, first start.</summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed partial class CommandLineTests(ITestOutputHelper output)
{
    [Fact]
    public async Task FirstStart_PrintsAPasswordOnce_AndBothStartsAreQuick()
    {
        await using var registry = new RestartableRegistry { Settings = [] };
        var first = await StartAsync(registry);
        var password = Password().Match(registry.Server.Output).Groups["word"].Value;
        Assert.NotEmpty(password);
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, password));
        Assert.Equal(0, await registry.Server.StopAsync());

        var second = await StartAsync(registry);
        Assert.DoesNotMatch(Password(), registry.Server.Output);
        Assert.DoesNotContain(password, registry.Server.Output);
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, password));

        // What is promised holds on a machine with nothing else to do; a busy one gets ten times as long.
        output.WriteLine($"ready after {first.TotalSeconds:0.00} s at the first start (promised: 5), {second.TotalSeconds:0.00} s later (promised: 2)");
        Assert.True(first < TimeSpan.FromSeconds(50) && second < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task ResetPassword_Alone_BesideAServer_AndFromInput()
    {
        await using var registry = new RestartableRegistry { Settings = [] };
        registry.Environment["Access__AdminPassword"] = "chosen-by-the-operator";
        await registry.StartAsync();
        Assert.DoesNotMatch(Password(), registry.Server.Output);
        Assert.DoesNotContain("chosen-by-the-operator", registry.Server.Output);
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, "chosen-by-the-operator"));

        var beside = await registry.RunAsync(["admin", "reset-password"]);
        Assert.Equal((0, ""), (beside.ExitCode, beside.Errors));
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, Printed(beside.Output)));
        Assert.Equal(HttpStatusCode.Unauthorized, await LogInAsync(registry, "chosen-by-the-operator"));

        Assert.Equal(0, (await registry.RunAsync(["admin", "reset-password", "admin", "--password-stdin"], "given-by-hand-1\n")).ExitCode);
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, "given-by-hand-1"));
        Assert.Equal(0, await registry.Server.StopAsync());

        var alone = await registry.RunAsync(["admin", "reset-password", "admin"]);
        Assert.Equal(0, alone.ExitCode);
        Assert.Null(registry.Postgres.ProcessId);
        var nobody = await registry.RunAsync(["admin", "reset-password", "nobody"]);
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("no person's account nobody", nobody.Errors);

        // What the environment says now changes nothing: the account is there.
        await registry.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await LogInAsync(registry, Printed(alone.Output)));
    }

    [Fact]
    public async Task Migrate_Alone_Again_AndBesideAServer()
    {
        await using var registry = new RestartableRegistry();
        var first = await registry.RunAsync(["migrate"]);
        Assert.Equal(0, first.ExitCode);
        Assert.Matches(@"[1-9]\d* migrations applied", first.Output);
        var again = await registry.RunAsync(["migrate"]);
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("0 migrations applied", again.Output, StringComparison.Ordinal);
        Assert.Null(registry.Postgres.ProcessId);

        await registry.StartAsync();
        Assert.Equal(0, (await registry.RunAsync(["migrate"])).ExitCode);
        Assert.Equal(200, await registry.ReadyAsync());
    }

    [Fact]
    public async Task Serve_WhereAnotherDoes_Is1AndOneSentence()
    {
        await using var registry = new RestartableRegistry();
        await registry.StartAsync();

        var sameFolder = await registry.RunAsync(["serve", "--urls=http://127.0.0.1:0"]);
        Assert.Equal(1, sameFolder.ExitCode);
        Assert.Contains("already using the data folder", sameFolder.Errors);

        await using var other = new RestartableRegistry();
        var samePort = await other.RunAsync(["serve", $"--urls=http://127.0.0.1:{registry.Client.BaseAddress!.Port}"]);
        Assert.Equal(1, samePort.ExitCode);
        Assert.Contains("address already in use", samePort.Errors);
        Assert.Null(other.Postgres.ProcessId);

        var elsewhere = await other.RunAsync(["serve", "--urls=http://192.0.2.1:5000"]);
        Assert.Equal(1, elsewhere.ExitCode);
        Assert.All([sameFolder, samePort, elsewhere], run => Assert.DoesNotContain("   at ", run.Errors));
        Assert.Equal(200, await registry.ReadyAsync());
    }

    [Fact]
    public async Task WrongSettings_Are2_AndAllNamedAtOnce()
    {
        await using var registry = new RestartableRegistry();
        registry.Environment["Removal__Enabled"] = "perhaps";

        var refused = await registry.RunAsync(["serve", "--Push:UploadLifetime=tomorrow", "--Push:ImmutableTags:0=no-colon", "--Server:ShutdownTimeout=02:00:00",
            "--Access:TokenLifetime=00:00:01", "--Access:Anonymus=Full", "--Storage:Backend=Tape", "--Pusch:UploadLifetime=1",
            "--ConnectionStrings:Registri=Host=x", "--ConnectionStrings:Registry=Hots=x;Password=hush", "--urls=nonsense"]);

        Assert.Equal(2, refused.ExitCode);
        foreach (var name in new[] { "Removal:Enabled", "Push:UploadLifetime", "Push:ImmutableTags", "Server:ShutdownTimeout", "Access:TokenLifetime",
            "Access:Anonymus", "Storage:Backend", "Pusch", "ConnectionStrings:Registri is", "ConnectionStrings:Registry:", "nonsense" })
            Assert.Contains(name, refused.Errors, StringComparison.Ordinal);
        Assert.All(refused.Errors.Trim().Split('\n'), line => Assert.StartsWith("gantry-server: ", line));
        Assert.DoesNotContain("hush", refused.Errors);
        Assert.False(Directory.Exists(Path.Combine(registry.DataRoot, "postgres")), "something was started");
    }

    [Theory]
    [InlineData("fly")]
    [InlineData("")]
    [InlineData("serve extra")]
    [InlineData("serve --Push:UploadLifetime")]
    [InlineData("admin")]
    [InlineData("admin fly")]
    [InlineData("admin reset-password UPPER/case")]
    public async Task BadUsage_Is2(string line)
    {
        await using var registry = new RestartableRegistry();
        var refused = await registry.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(refused.ExitCode == 2, $"{refused.ExitCode}: {refused.Output}{refused.Errors}");
        Assert.NotEmpty(refused.Errors);
    }

    [Fact]
    public async Task BrokenSettingsFile_Is2()
    {
        await using var registry = new RestartableRegistry();
        await File.WriteAllTextAsync(Path.Combine(registry.Folder, "appsettings.json"), "{ \"Push\": ");
        var refused = await registry.RunAsync(["serve"]);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("appsettings.json", refused.Errors);
        Assert.DoesNotContain("   at ", refused.Errors);
    }

    /// <summary>One setting, three ways, each above the one before.</summary>
    [Fact]
    public async Task Settings_OfFileEnvironmentAndArguments_AreTheSame()
    {
        await using var registry = new RestartableRegistry();
        await File.WriteAllTextAsync(Path.Combine(registry.Folder, "appsettings.json"), """{ "Server": { "Warning": "from the file" } }""");
        await registry.StartAsync();
        Assert.Equal("299 - \"from the file\"", await WarningAsync(registry));
        await registry.Server.KillAsync();

        registry.Environment["Server__Warning"] = "from the environment";
        await registry.StartAsync();
        Assert.Equal("299 - \"from the environment\"", await WarningAsync(registry));
        await registry.Server.KillAsync();

        await registry.StartAsync(null, "Server:Warning=from the arguments");
        Assert.Equal("299 - \"from the arguments\"", await WarningAsync(registry));
    }

    private static async Task<TimeSpan> StartAsync(RestartableRegistry registry)
    {
        var began = Stopwatch.StartNew();
        await registry.StartAsync();
        Assert.Equal(200, await registry.ReadyAsync());
        return began.Elapsed;
    }

    private static async Task<HttpStatusCode> LogInAsync(RestartableRegistry registry, string password)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/") { Headers = { Authorization = RegistryServer.Basic("admin", password) } };
        using var answer = await registry.Client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<string> WarningAsync(RestartableRegistry registry)
    {
        using var answer = await registry.Client.GetAsync("/v2/");
        return answer.Header("Warning");
    }

    /// <summary>The one line that is no log line; those begin with a time.</summary>
    private static string Printed(string text) => text.Split('\n').Single(line => line.Length > 0 && !line.Contains(' ', StringComparison.Ordinal));

    [GeneratedRegex(@"^ *password: (?<word>\S+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Password();
}
