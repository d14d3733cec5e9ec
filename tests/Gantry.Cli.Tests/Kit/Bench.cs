using System.Text.Json.Nodes;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Cli.Tests.Kit;

/// <summary>
/// One registry that everybody may push to, an image of busybox in it, and the layout it came from, for all tests of the command. Needs root and /bin/busybox
/// without libraries (busybox-static).
/// </summary>
public sealed class Bench : IAsyncLifetime
{
    private static readonly string[] Applets = ["sh", "ls", "cat", "id", "env", "echo", "hostname", "ip", "touch", "true", "sleep", "kill", "wc", "tty", "stty"];

    private DirectoryInfo _folder = null!;

    public RegistryServer Server { get; private set; } = null!;

    public string Host => Server.Address.Authority;

    /// <summary>Its tag is <c>1</c>; it has two layers, a user, a variable and a folder of its own.</summary>
    public string Box => $"{Host}/team/box:1";

    /// <summary>Of its manifest.</summary>
    public string BoxDigest { get; private set; } = "";

    /// <summary>The layout, with the images <c>box</c> and the index <c>many</c> for amd64 and arm64.</summary>
    public string Layout => Path.Combine(_folder.FullName, "layout");

    /// <summary>A store that has the box. Tests get a copy: a pull for each of them would show nothing more.</summary>
    public string PulledStore => Path.Combine(_folder.FullName, "pulled");

    /// <summary>What the lower layer's tar is, and the upper one's.</summary>
    public byte[][] Layers { get; private set; } = [];

    public static JsonObject Config => new()
    {
        ["Cmd"] = new JsonArray("sh", "-c", "echo default"), ["Env"] = new JsonArray("GREETING=hello", "HOME=/from/image"), ["WorkingDir"] = "/work",
        ["Labels"] = new JsonObject { ["title"] = "box", ["run.oci.handler"] = "krun", ["org.systemd.property.CPUQuota"] = "1" },
        ["Volumes"] = new JsonObject { ["/../../escape"] = new JsonObject(), ["/data"] = new JsonObject() },
    };

    public async ValueTask InitializeAsync()
    {
        Assert.True(Environment.IsPrivilegedProcess, "these tests mount and run containers: run them as root");
        _folder = Directory.CreateTempSubdirectory("gantry-cli-");
        Layers = [BaseLayer(), new TarBytes().Directory("home").Directory("home/app", header => header.Uid(1000)).File("etc/.wh.gone").File("etc/stays", "upper").End().ToArray()];
        var layout = new LayoutFolder(Layout);
        var box = layout.Image("box", Config, "amd64", Layers);
        layout.Index("many", box, layout.Image(null, Config, "arm64", Layers[0]));
        Server = await RegistryServer.StartAsync("Access:Anonymous=Full");
        await using var gantry = new GantryRuns(this);
        await gantry.GoodAsync("push", $"{Layout}:box", Box);
        BoxDigest = (await gantry.GoodAsync("--root", PulledStore, "pull", "-q", Box)).Output.Trim().Split('@')[1];
        // Tests copy it: nobody may still be at work there.
        await gantry.GoodAsync("--root", PulledStore, "settle");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static byte[] BaseLayer()
    {
        var tar = new TarBytes().Directory("bin").File("bin/busybox", File.ReadAllBytes("/bin/busybox"), header => header.Mode(0x1ED));
        foreach (var applet in Applets) tar.SymbolicLink($"bin/{applet}", "busybox");
        return tar.Directory("etc").Directory("tmp").Directory("work").Directory("data")
            .File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n").File("etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n")
            .File("etc/gone", "lower").File("etc/stays", "lower").HardLink("etc/twin", "etc/passwd").End().ToArray();
    }
}
