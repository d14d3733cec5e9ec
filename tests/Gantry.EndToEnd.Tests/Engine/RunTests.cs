using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>Containers of real images by `gantry run` and runc, pulled from the registry for it.</summary>
[Trait("Speed", "Slow")]
public sealed class RunTests(Lab lab) : IAsyncLifetime
{
    private GantryCommand gantry = null!;
    private string folder = "";

    public async ValueTask InitializeAsync()
    {
        folder = lab.NewFolder();
        gantry = new GantryCommand(lab.Home, folder);
        Lab.Say($"drives {(await new Command("runc").RunAsync("--version")).Output.Split('\n')[0]}");
    }

    [Fact]
    public async Task Debian_Image_RunsItsCommandAndOthers()
    {
        var image = await PushedAsync("debian");
        Assert.Equal("hello from a Debian image of several layers\n", (await RunAsync(image)).Output);
        Assert.Equal("300000\n", (await RunAsync(image, "sh", "-c", "tail -n 1 /srv/link")).Output);
        Assert.Equal("yes app\n", (await gantry.RunAsync("run", "--rm", "-u", "app", "--runtime", "runc", image, "sh", "-c", "echo $GANTRY $(id -un)")).Output);
        Assert.Equal(23, (await gantry.TryAsync("run", "--rm", "--runtime", "runc", image, "bash", "-c", "exit 23")).ExitCode);

        // Every file of every package has the bytes that Debian gave it; manuals and the like are not in the image.
        Assert.Equal("", (await RunAsync(image, "dpkg", "--audit")).Text);
        const string files = @"cat /var/lib/dpkg/info/*.md5sums | grep -v ' usr/share/\(doc\|man\|locale\|lintian\)/'";
        Assert.Equal("", (await RunAsync(image, "bash", "-c", $"cd / && {files} | md5sum --check --strict --quiet")).Text);
        Assert.True(int.Parse((await RunAsync(image, "bash", "-c", $"{files} | wc -l")).Output.Trim()) > 1000);
    }

    [Fact]
    public async Task Python_Image_RunsItsScriptAndWritesToAVolume()
    {
        var image = await PushedAsync("python");
        Assert.Equal("hello from python 3\n", (await RunAsync(image)).Output);
        var results = Directory.CreateDirectory(Path.Combine(folder, "results")).FullName;

        var run = await gantry.TryAsync(
            "run", "--rm", "--runtime", "runc", "-e", "CODE=5", "-v", $"{results}:/results", image, "python3", "/srv/report.py", "/results/report.json", "more");

        Assert.Equal((5, "hello from python 3\n"), (run.ExitCode, run.Output));
        var report = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(results, "report.json")))!;
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("gantry"u8)), report["sha256"]!.GetValue<string>());
        Assert.Equal(["/results/report.json", "more"], report["arguments"]!.AsArray().Select(word => word!.GetValue<string>()));
        Assert.Equal("2 True\n", (await RunAsync(image, "python3", "-c", "import sqlite3, ssl; print(sqlite3.connect(':memory:').execute('select 1+1').fetchone()[0], ssl.HAS_TLSv1_3)")).Output);
    }

    [Fact]
    public async Task Nginx_Image_AnswersOnTheMachinesNetwork()
    {
        var image = await PushedAsync("nginx");
        var pages = Directory.CreateDirectory(Path.Combine(folder, "pages")).FullName;
        await File.WriteAllTextAsync(Path.Combine(pages, "own.html"), "a page of our own");
        var port = FreePort();
        await gantry.RunAsync("pull", "-q", image);
        var server = gantry.Start(
            Path.Combine(folder, "nginx.log"), "run", "--rm", "--runtime", "runc", "--network", "host", "-e", $"PORT={port}", "-v", $"{pages}:/var/www/html/pages:ro", image);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        int code;
        try
        {
            await server.UntilAsync(() => AnswersAsync(http), TimeSpan.FromSeconds(60));
            Assert.Equal("a page from nginx\n", await http.GetStringAsync("/"));
            Assert.Equal("a page of our own", await http.GetStringAsync("/pages/own.html"));
            using var missing = await http.GetAsync("/missing");
            Assert.Equal((HttpStatusCode.NotFound, "nginx"), (missing.StatusCode, missing.Headers.Server.Single().Product!.Name));
        }
        finally
        {
            code = await server.StopAsync();
        }

        // SIGTERM goes through the command and the runtime to nginx, which ends well.
        Assert.Equal(0, code);
        Assert.False(await AnswersAsync(http));
        Assert.Empty(Directory.GetDirectories(Path.Combine(gantry.Store, "containers")));
    }

    public ValueTask DisposeAsync() => default;

    private async Task<string> PushedAsync(string image)
    {
        await lab.SeedAsync(image, $"run/{image}");
        return $"{lab.Registry.Host}/run/{image}:latest";
    }

    private Task<CommandResult> RunAsync(string image, params string[] command) => gantry.RunAsync(["run", "-q", "--rm", "--runtime", "runc", image, .. command]);

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/");
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
