using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gantry.Engine.Unpack;

/// <summary>A path below an image's root: real components, no leading slash; empty is the root. Any bytes; as JSON a string, or base64 where it is no UTF-8.</summary>
[JsonConverter(typeof(LayerPathJson))]
public readonly struct LayerPath(byte[] bytes) : IEquatable<LayerPath>
{
    /// <summary>What one costs in memory beside its bytes, in a list and in a set.</summary>
    internal const int Overhead = 80;

    private readonly byte[]? _bytes = bytes;

    public ReadOnlySpan<byte> Span => _bytes;

    internal byte[] Bytes => _bytes ?? [];

    public bool Equals(LayerPath other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is LayerPath other && Equals(other);

    public override int GetHashCode() => ByteNames.Comparer.GetHashCode(Span);

    public static bool operator ==(LayerPath left, LayerPath right) => left.Equals(right);

    public static bool operator !=(LayerPath left, LayerPath right) => !left.Equals(right);

    /// <summary>Fit for a terminal, not for a system call.</summary>
    public override string ToString() => Layers.Printable.Of(Span);
}

/// <summary>A name, and the path of the file in the layers below that it is a hard link to.</summary>
public sealed record LayerLink(LayerPath Name, LayerPath Target);

/// <summary>UTF-8 as a string, anything else as <c>{"base64": "..."}</c>: no name can be mistaken for another.</summary>
internal sealed class LayerPathJson : JsonConverter<LayerPath>
{
    public override LayerPath Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return new LayerPath(Encoding.UTF8.GetBytes(reader.GetString()!));
        if (reader.TokenType != JsonTokenType.StartObject || !reader.Read() || !reader.ValueTextEquals("base64"u8) || !reader.Read()) throw new JsonException();
        var bytes = reader.GetBytesFromBase64();
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject ? new LayerPath(bytes) : throw new JsonException();
    }

    public override void Write(Utf8JsonWriter writer, LayerPath value, JsonSerializerOptions options)
    {
        if (IsText(value.Span))
        {
            writer.WriteStringValue(value.Span);
            return;
        }

        writer.WriteStartObject();
        writer.WriteBase64String("base64"u8, value.Span);
        writer.WriteEndObject();
    }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out _, out var length) != OperationStatus.Done) return false;
            bytes = bytes[length..];
        }

        return true;
    }
}
