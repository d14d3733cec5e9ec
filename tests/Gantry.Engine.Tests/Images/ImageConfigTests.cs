using System.Text;
using Gantry.Engine.Images;

namespace Gantry.Engine.Tests.Images;

public sealed class ImageConfigTests
{
    private const string DiffId = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    [Fact]
    public void Read_OfFullConfig_GivesEverythingThatABundleNeeds()
    {
        var config = Read($$$"""
            {"created":"2026-01-02T03:04:05.123456789Z","author":"someone","architecture":"aarch64","variant":"v8","os":"linux",
             "config":{"User":"1000:app","ExposedPorts":{"80/tcp":{},"53/udp":null},"Env":["PATH=/bin","EMPTY=","odd","=x"],"Entrypoint":["/init"],"Cmd":["-v"],
                       "Volumes":{"/data":{}},"WorkingDir":"/srv","Labels":{"a":"b","c":null},"StopSignal":"SIGINT","Healthcheck":{"Test":["NONE"]}},
             "rootfs":{"type":"layers","diff_ids":["{{{DiffId}}}"]},
             "history":[{"created":"2026-01-02T03:04:05Z","created_by":"ADD x","comment":"c","author":"a"},{"created_by":"ENV y","empty_layer":true}],
             "container_config":{"Cmd":1},"docker_version":"1"}
            """);
        Assert.Equal("linux/arm64", config.Platform!.ToString());
        Assert.Equal(2026, config.Created!.Value.Year);
        Assert.Equal([DiffId], config.DiffIds.Select(digest => digest.ToString()));
        Assert.Equal([("ADD x", false), ("ENV y", true)], config.History.Select(entry => (entry.CreatedBy, entry.IsEmptyLayer)));
        var execution = config.Execution;
        Assert.Equal(("1000:app", "/srv", "SIGINT"), (execution.User, execution.WorkingDir, execution.StopSignal));
        Assert.Equal(["/init"], execution.Entrypoint);
        Assert.Equal(["-v"], execution.Cmd);
        Assert.Equal(["PATH=/bin", "EMPTY="], execution.Env);
        Assert.Equal(["80/tcp", "53/udp"], execution.ExposedPorts);
        Assert.Equal(["/data"], execution.Volumes);
        Assert.Equal(("b", ""), (execution.Labels["a"], execution.Labels["c"]));
    }

    [Theory]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":null},"config":null,"history":null}""")]
    [InlineData("""{"rootfs":{"type":"layers"},"config":{"Env":null,"Cmd":null,"Labels":null,"Volumes":null},"created":"yesterday"}""")]
    public void Read_OfNulls_TakesThemForAbsence(string json)
    {
        var config = Read(json);
        Assert.Empty(config.DiffIds);
        Assert.Empty(config.Execution.Env);
        Assert.Null(config.Created);
        Assert.Null(config.Platform);
    }

    [Theory]
    [Trait("Pull", "B104")]
    [Trait("Pull", "C83")]
    [Trait("Pull", "C100")]
    [InlineData("{}")]
    [InlineData("""{"rootfs":{"type":"squashfs","diff_ids":[]}}""")]
    [InlineData("""{"rootfs":{"diff_ids":[]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"rootfs":{"type":"layers","diff_ids":[]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"RootFS":{"type":"layers","diff_ids":[]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":["sha256:x"]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Env":["A=\u0000"]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Cmd":["a\u0000b"]}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"User":"a\u0000"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Volumes":{"/a\u0000":{}}}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Env":"A=b"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"user":"root"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"WorkingDir":"\ud800"}}""")]
    [InlineData("""{"rootfs":{"type":"layers","diff_ids":[]},"history":[{"empty_layer":"yes"}]}""")]
    public void Read_OfBrokenConfig_IsRefused(string json) =>
        Assert.Equal(EngineFault.InvalidDocument, Assert.Throws<EngineException>(() => Read(json)).Fault);

    [Fact]
    [Trait("Pull", "C83")]
    [Trait("Pull", "C100")]
    public void Read_OfHugeConfig_IsRefused()
    {
        var environment = $$$"""{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Env":["A={{{new string('x', 1024 * 1024)}}}"]}}""";
        Assert.Equal(EngineFault.TooLarge, Assert.Throws<EngineException>(() => Read(environment)).Fault);
        Assert.Equal(EngineFault.TooLarge, Assert.Throws<EngineException>(() => Read(new string(' ', ImageConfigReader.MaxBytes + 1))).Fault);
        var layers = string.Join(',', Enumerable.Repeat($"\"{DiffId}\"", ImageDocument.MaxLayers + 1));
        Assert.Equal(EngineFault.TooLarge, Assert.Throws<EngineException>(() => Read($$$"""{"rootfs":{"type":"layers","diff_ids":[{{{layers}}}]}}""")).Fault);
    }

    internal static ImageConfig Read(string json) => ImageConfigReader.Read(Encoding.UTF8.GetBytes(json));
}
