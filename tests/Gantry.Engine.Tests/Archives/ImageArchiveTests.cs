using System.Text;
using System.Text.Json.Nodes;
using Gantry.Engine.Archives;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Archives;

/// <summary>Layouts and archives that are odd, damaged or hostile.</summary>
public sealed class ImageArchiveTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-archive-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Open_Layout_ReadsWhatIsInIt()
    {
        var layout = new LayoutFolder(Path.Combine(_folder.FullName, "layout"));
        layout.Image("one", new JsonObject { ["User"] = "app" }, "amd64", new TarBytes().File("a", "1").End().ToArray());
        using var archive = ImageArchive.Open(layout.Path, Ct);
        var image = Assert.Single(archive.Images);
        var manifest = archive.ReadDocument(image.Reference);
        Assert.Equal(("one", "app"), (image.Name, archive.ReadConfig(manifest.Config!).Execution.User));
        using var layer = archive.OpenBlob(manifest.Layers[0]);
        Assert.Equal(manifest.Layers[0].Size, Read(layer).Length);
        Assert.True(archive.Has(manifest.Layers[0]));
    }

    [Theory]
    [InlineData(-1, EngineFault.Mismatch)]
    [InlineData(+1, EngineFault.Mismatch)]
    [InlineData(0, EngineFault.Mismatch)]
    public void OpenBlob_OtherBytesThanTheDigest_EndsWithMismatch(int longer, EngineFault fault)
    {
        var layout = new LayoutFolder(Path.Combine(_folder.FullName, "layout"));
        layout.Image("one", [], "amd64", new TarBytes().File("a", "1").End().ToArray());
        using var archive = ImageArchive.Open(layout.Path, Ct);
        var blob = archive.ReadDocument(archive.Images[0].Reference).Layers[0];
        var path = layout.PathOf(blob.Digest);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, [.. bytes[..(bytes.Length + Math.Min(longer, 0))], .. new byte[Math.Max(longer, 0)]]);
        using var stream = archive.OpenBlob(blob);
        Assert.Equal(fault, Assert.Throws<EngineException>(() => Read(stream)).Fault);
    }

    [Fact]
    public void Open_DockerArchive_MakesTheSameManifestEachTime()
    {
        var layer = new TarBytes().File("a", "1").End().ToArray();
        var tar = Docker("""[{"Config":"c.json","RepoTags":["app:1","app:2"],"Layers":["l/layer.tar","m/layer.tar"]}]""",
            new TarBytes().File("l/layer.tar", layer).SymbolicLink("m/layer.tar", "../l/layer.tar"), layer, layer);
        using var archive = ImageArchive.Open(tar.ToStream(), Ct);
        Assert.Equal(["app:1", "app:2"], archive.Images.Select(image => image.Name));
        var manifest = archive.ReadDocument(archive.Images[0].Reference);
        Assert.Equal(2, manifest.Layers.Count);
        Assert.Equal(Oci.Digest.Of(layer), manifest.Layers[1].Digest);
        using var again = ImageArchive.Open(tar.ToStream(), Ct);
        Assert.Equal(archive.Images[0].Reference.Digest, again.Images[0].Reference.Digest);
        using var stream = archive.OpenBlob(manifest.Layers[1]);
        Assert.Equal(layer, Read(stream));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("etc/passwd\\u001b[2J")]
    public void Open_DockerArchive_NamesAFileOutsideOfIt_IsNotThere(string name)
    {
        var tar = Docker($$"""[{"Config":"c.json","RepoTags":null,"Layers":["{{name}}"]}]""", new TarBytes().SymbolicLink("etc", "/etc"), []);
        var fault = Assert.Throws<EngineException>(() => ImageArchive.Open(tar.ToStream(), Ct));
        Assert.Equal(EngineFault.InvalidDocument, fault.Fault);
        Assert.DoesNotContain('\u001b', fault.Message);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("[{}]")]
    [InlineData("""[{"Config":"c.json","config":"d.json"}]""")]
    [InlineData("""[{"Config":"none.json","Layers":[]}]""")]
    public void Open_DockerArchive_BrokenManifest_IsRefused(string manifest) =>
        Assert.Equal(EngineFault.InvalidDocument, Assert.Throws<EngineException>(() => ImageArchive.Open(Docker(manifest, new TarBytes(), []).ToStream(), Ct)).Fault);

    [Fact]
    public void Open_WhatIsNoArchive_SaysSo()
    {
        foreach (var bytes in (byte[][])[[], Encoding.ASCII.GetBytes(new string('x', 2000)), new TarBytes().File("a", "b").End().ToArray(), new TarBytes().File("index.json", "{").End().ToArray()])
            Assert.Equal(EngineFault.InvalidDocument, Assert.Throws<EngineException>(() => ImageArchive.Open(new MemoryStream(bytes), Ct)).Fault);
        Assert.Equal(EngineFault.NotFound, Assert.Throws<EngineException>(() => ImageArchive.Open(Path.Combine(_folder.FullName, "none"), Ct)).Fault);
        Assert.Equal(EngineFault.InvalidDocument, Assert.Throws<EngineException>(() => ImageArchive.Open(_folder.FullName, Ct)).Fault);
    }

    [Fact]
    public void Open_Truncated_IsRefused()
    {
        var whole = Docker("""[{"Config":"c.json","RepoTags":["a:1"],"Layers":[]}]""", new TarBytes(), []).ToArray();
        foreach (var length in (int[])[100, 512, 700, whole.Length - 1600])
            Assert.Equal(EngineFault.InvalidDocument, Assert.Throws<EngineException>(() => ImageArchive.Open(new MemoryStream(whole[..length]), Ct)).Fault);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static TarBytes Docker(string manifest, TarBytes files, params byte[][] layers)
    {
        var diffIds = new JsonArray([.. layers.Select(layer => (JsonNode)Oci.Digest.Of(layer).ToString())]);
        var config = new JsonObject { ["os"] = "linux", ["architecture"] = "amd64", ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffIds } };
        return files.File("c.json", config.ToJsonString()).File("manifest.json", manifest).End();
    }

    private static byte[] Read(Stream stream)
    {
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
