using System.Text.Json;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Cli.Commands;

/// <summary>An image as <c>inspect</c> prints it, under docker's names where docker has one. JSON escapes what could move a cursor.</summary>
internal static class ImageReport
{
    public static void Write(Utf8JsonWriter writer, ImageName name, Descriptor top, ImageDocument manifest, ImageConfig? config)
    {
        writer.WriteStartObject();
        writer.WriteString("Name", name.Canonical);
        writer.WriteString("Digest", top.Digest.ToString());
        writer.WriteString("MediaType", top.MediaType);
        if (manifest.Descriptor.Digest != top.Digest) writer.WriteString("ManifestDigest", manifest.Descriptor.Digest.ToString());
        if (manifest.Config is { } id) writer.WriteString("Id", id.Digest.ToString());
        if (manifest.View.ArtifactType is { } artifact && config is null) writer.WriteString("ArtifactType", artifact);
        if (config?.Platform is { } platform)
        {
            writer.WriteString("Os", platform.Os);
            writer.WriteString("Architecture", platform.Architecture);
            if (platform.Variant is not null) writer.WriteString("Variant", platform.Variant);
        }

        if (config?.Created is { } created) writer.WriteString("Created", created);
        if (config?.Author is { } author) writer.WriteString("Author", author);
        writer.WriteNumber("Size", manifest.Layers.Sum(layer => layer.Size));
        if (config is not null) WriteExecution(writer, config.Execution);
        writer.WriteStartArray("Layers");
        for (var i = 0; i < manifest.Layers.Count; i++)
        {
            var layer = manifest.Layers[i];
            writer.WriteStartObject();
            writer.WriteString("Digest", layer.Digest.ToString());
            if (config is not null) writer.WriteString("DiffId", config.DiffIds[i].ToString());
            writer.WriteString("MediaType", layer.Descriptor.MediaType);
            writer.WriteNumber("Size", layer.Size);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteMap(writer, "Annotations", manifest.View.Annotations);
        writer.WriteEndObject();
    }

    private static void WriteExecution(Utf8JsonWriter writer, ImageExecution execution)
    {
        writer.WriteStartObject("Config");
        writer.WriteString("User", execution.User);
        writer.WriteString("WorkingDir", execution.WorkingDir);
        WriteList(writer, "Entrypoint", execution.Entrypoint);
        WriteList(writer, "Cmd", execution.Cmd);
        WriteList(writer, "Env", execution.Env);
        WriteList(writer, "ExposedPorts", execution.ExposedPorts);
        WriteList(writer, "Volumes", execution.Volumes);
        if (execution.StopSignal is not null) writer.WriteString("StopSignal", execution.StopSignal);
        WriteMap(writer, "Labels", execution.Labels);
        writer.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter writer, string name, IReadOnlyList<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter writer, string name, IReadOnlyDictionary<string, string>? values)
    {
        if (values is null or { Count: 0 }) return;
        writer.WriteStartObject(name);
        foreach (var (key, value) in values.OrderBy(pair => pair.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
        writer.WriteEndObject();
    }
}
