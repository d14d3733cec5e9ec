using System.Text.Json.Nodes;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>The OCI layouts that tests/images/make builds from Debian packages, built on demand and kept.</summary>
internal sealed class ImageSet
{
    private readonly string folder;

    private ImageSet(string folder) => this.folder = folder;

    public static async Task<ImageSet> MakeAsync()
    {
        var make = new Command(Path.Combine(SourceTree.Root, "tests/images/make"));
        var made = await make.RunAsync();
        return new ImageSet(made.Output.Trim());
    }

    /// <summary>The folder of an OCI layout, or of the "dir:" copy schema2.</summary>
    public string Folder(string name) => Path.Combine(folder, name);

    /// <summary>The layout as containers' tools write it: oci:FOLDER:TAG.</summary>
    public string Layout(string name, string tag = "latest") => $"oci:{Folder(name)}:{tag}";

    public string Digest(string name, string tag = "latest")
    {
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder(name), "index.json")))!;
        return index["manifests"]!.AsArray()
            .Single(m => (string?)m!["annotations"]?["org.opencontainers.image.ref.name"] == tag)!["digest"]!.GetValue<string>();
    }

    public JsonNode Manifest(string name, string digest) =>
        JsonNode.Parse(File.ReadAllBytes(Path.Combine(Folder(name), "blobs", digest.Replace(':', '/'))))!;
}
