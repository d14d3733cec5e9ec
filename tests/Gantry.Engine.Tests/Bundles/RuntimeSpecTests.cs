using System.Text;
using System.Text.Json;
using Gantry.Engine.Bundles;
using Gantry.Engine.Images;

namespace Gantry.Engine.Tests.Bundles;

/// <summary>From an image's config to a runtime's.</summary>
[Trait("Pull", "B10")]
public sealed class RuntimeSpecTests
{
    private static readonly ContainerUser Root = new(0, 0, [0], "/root"), App = new(1000, 1000, [1000], null);

    [Theory]
    [InlineData("""{"Entrypoint":["a"],"Cmd":["b"]}""", null, null, "a b")]
    [InlineData("""{"Entrypoint":["a"],"Cmd":["b"]}""", null, "c d", "a c d")]
    [InlineData("""{"Entrypoint":["a"],"Cmd":["b"]}""", "x", null, "x")]
    [InlineData("""{"Entrypoint":["a"],"Cmd":["b"]}""", "x", "y", "x y")]
    [InlineData("""{"Entrypoint":["a"],"Cmd":["b"]}""", "", "y", "y")]
    [InlineData("""{"Cmd":["b"]}""", null, null, "b")]
    public void Arguments_AreEntrypointAndCommand(string config, string? entrypoint, string? command, string expected) =>
        Assert.Equal(expected, string.Join(' ', Build(config, new BundleOptions { Entrypoint = entrypoint, Command = command?.Split(' ') }).Process.Args));

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Cmd":[""]}""")]
    public void Arguments_None_IsAFaultOfUse(string config) =>
        Assert.Equal(EngineFault.Usage, Assert.Throws<EngineException>(() => Build(config, new BundleOptions())).Fault);

    [Fact]
    public void Environment_OnlyFillsWhatIsAbsent()
    {
        var given = Build("""{"Cmd":["x"],"Env":["HOME=","PATH=/only","A=1","A=2"]}""", new BundleOptions { Environment = ["B=3", "A=4"], Terminal = true });
        Assert.Equal(["HOME=", "PATH=/only", "A=4", "B=3", "TERM=xterm"], given.Process.Env);
        var filled = Build("""{"Cmd":["x"]}""", new BundleOptions { HostName = "box" });
        Assert.Equal([$"PATH={LinuxDefaults.Path}", "HOME=/root", "HOSTNAME=box"], filled.Process.Env);
        Assert.Contains("HOME=/", Build("""{"Cmd":["x"]}""", new BundleOptions(), App).Process.Env);
    }

    [Fact]
    [Trait("Pull", "C100")]
    public void Environment_WithoutNameOrEquals_IsLeftOut() =>
        Assert.Equal(["GOOD=1", "PATH=/x", "HOME=/root"], Build("""{"Cmd":["x"],"Env":["noequals","=noname","GOOD=1","PATH=/x"]}""", new BundleOptions { Environment = ["BAD\0=1"] }).Process.Env);

    [Theory]
    [InlineData("", "/")]
    [InlineData("relative/dir", "/relative/dir")]
    [InlineData("/a/../../../b//./c/", "/b/c")]
    public void WorkingDirectory_IsAbsoluteAndInside(string directory, string expected) =>
        Assert.Equal(expected, Build(JsonSerializer.Serialize(new { Cmd = new[] { "x" }, WorkingDir = directory }), new BundleOptions()).Process.Cwd);

    [Fact]
    [Trait("Pull", "C101")]
    public void Volumes_OfTheImage_AreNotMounted()
    {
        var spec = Build("""{"Cmd":["x"],"Volumes":{"/../../escape":{},"/data":{}}}""", new BundleOptions());
        Assert.DoesNotContain(spec.Mounts, mount => mount.Destination.Contains("escape", StringComparison.Ordinal) || mount.Destination == "/data" || mount.Type == "bind");
        var mine = Build("""{"Cmd":["x"]}""", new BundleOptions { Volumes = [new BundleVolume("/src", "/../../mnt", true)] }).Mounts[^1];
        Assert.Equal(("/mnt", "/src"), (mine.Destination, mine.Source));
        Assert.Contains("ro", mine.Options);
    }

    [Fact]
    public void Labels_ThatRuntimesObey_AreNoAnnotations()
    {
        const string config = """
            {"Cmd":["x"],"Labels":{"title":"t","org.opencontainers.image.author":"label","run.oci.hooks.stdout":"/x","Run.OCI.handler":"krun","org.systemd.property.X":"1",
             "org.criu.config":"/etc/x","io.kubernetes.cri.x":"y","io.katacontainers.x":"y","cdi.k8s.io/x":"nvidia.com/gpu=all","":"nameless"},"StopSignal":"SIGQUIT","ExposedPorts":{"80/tcp":{},"53/udp":{}}}
            """;
        var safe = Build(config, new BundleOptions()).Annotations;
        Assert.Equal(["org.opencontainers.image.architecture", "org.opencontainers.image.author", "org.opencontainers.image.exposedPorts", "org.opencontainers.image.os",
            "org.opencontainers.image.stopSignal", "title"], safe.Keys);
        Assert.Equal(("label", "80/tcp,53/udp"), (safe["org.opencontainers.image.author"], safe["org.opencontainers.image.exposedPorts"]));
        Assert.DoesNotContain("title", Build(config, new BundleOptions { Labels = BundleLabels.None }).Annotations.Keys);
        Assert.Contains("run.oci.hooks.stdout", Build(config, new BundleOptions { Labels = BundleLabels.All }).Annotations.Keys);
    }

    [Fact]
    public void Privileges_AreDockersAndNoMore()
    {
        var root = Build("""{"Cmd":["x"]}""", new BundleOptions());
        Assert.True(root.Process.NoNewPrivileges);
        Assert.Empty(root.Process.Capabilities.Inheritable);
        Assert.Equal(14, root.Process.Capabilities.Effective.Count);
        Assert.DoesNotContain("CAP_SYS_ADMIN", root.Process.Capabilities.Bounding);
        Assert.Contains("/proc/kcore", root.Linux.MaskedPaths);
        Assert.Contains("/proc/sys", root.Linux.ReadonlyPaths);
        Assert.Contains(root.Linux.Namespaces, space => space.Type == "network");
        var app = Build("""{"Cmd":["x"]}""", new BundleOptions { Network = BundleNetwork.Host, NewPrivileges = true }, App);
        Assert.Empty(app.Process.Capabilities.Effective);
        Assert.False(app.Process.NoNewPrivileges);
        Assert.DoesNotContain(app.Linux.Namespaces, space => space.Type is "network" or "user");
    }

    [Fact]
    public void Rootless_HasAUserNamespaceAndNoMountThatNeedsMore()
    {
        var spec = Build("""{"Cmd":["x"]}""", new BundleOptions { Rootless = new RootlessOwner(1000, 1001), Network = BundleNetwork.Host });
        Assert.Equal((0u, 1000u, 1u), (spec.Linux.UidMappings![0].ContainerId, spec.Linux.UidMappings[0].HostId, spec.Linux.UidMappings[0].Size));
        Assert.Equal(1001u, spec.Linux.GidMappings![0].HostId);
        Assert.Contains(spec.Linux.Namespaces, space => space.Type == "user");
        Assert.DoesNotContain(spec.Mounts, mount => mount.Type is "cgroup" or "sysfs" || mount.Options.Contains("gid=5"));
        Assert.Null(spec.Linux.Resources);
    }

    [Fact]
    public void Json_HasTheSpecificationsNames()
    {
        var json = JsonSerializer.SerializeToElement(Build("""{"Cmd":["x"]}""", new BundleOptions { Rootless = new RootlessOwner(1, 2) }), RuntimeSpecJson.Default.RuntimeSpec);
        Assert.Equal("1.0.2", json.GetProperty("ociVersion").GetString());
        Assert.Equal(1, json.GetProperty("linux").GetProperty("uidMappings")[0].GetProperty("hostID").GetInt32());
        Assert.Equal("rootfs", json.GetProperty("root").GetProperty("path").GetString());
        Assert.True(json.GetProperty("process").GetProperty("noNewPrivileges").GetBoolean());
        Assert.Equal(0, json.GetProperty("process").GetProperty("capabilities").GetProperty("inheritable").GetArrayLength());
        Assert.False(json.TryGetProperty("hostname", out _));
    }

    private static RuntimeSpec Build(string execution, BundleOptions options, ContainerUser? user = null)
    {
        var config = ImageConfigReader.Read(Encoding.UTF8.GetBytes($$"""{"os":"linux","architecture":"amd64","config":{{execution}},"rootfs":{"type":"layers","diff_ids":[]} }"""));
        return RuntimeSpecBuilder.Build(config, options, user ?? Root);
    }
}
