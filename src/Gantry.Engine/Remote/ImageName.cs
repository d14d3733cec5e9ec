using System.Diagnostics.CodeAnalysis;
using Gantry.Oci;

namespace Gantry.Engine.Remote;

/// <summary>
/// The name of an image as people type it, in docker's normal form: <c>debian</c> is tag <c>latest</c> of <c>library/debian</c> at
/// <c>docker.io</c>. The first component is a host where it holds a dot or a colon, or is <c>localhost</c>.
/// </summary>
/// <remarks>
/// A value that exists is valid: every part is safe in a path, a query and a header. Two texts that docker takes for the same image are
/// equal. A digest decides what is fetched; a tag beside it only says where the name came from.
/// </remarks>
public sealed record ImageName
{
    /// <summary>Docker's registry by the name that people and credential files use. Its API is elsewhere, which the transport alone knows.</summary>
    public const string DockerHub = "docker.io";

    private const string OfficialPrefix = "library/";
    private static readonly TagName Latest = TagName.Parse("latest");

    /// <param name="host">As <see cref="TryParseHost"/> gives it.</param>
    /// <param name="tag">Null together with the digest: <c>latest</c>.</param>
    private ImageName(string host, RepositoryName repository, TagName? tag, Digest? digest) =>
        (Host, Repository, Tag, Digest) = (host, repository, tag is null && digest is null ? Latest : tag, digest);

    /// <summary>Lower case, with the port where one was given: <c>ghcr.io</c>, <c>localhost:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Host { get; }

    public RepositoryName Repository { get; }

    /// <summary>Null where only a digest was given.</summary>
    public TagName? Tag { get; private init; }

    public Digest? Digest { get; private init; }

    /// <summary>What to ask the registry for: the digest where there is one, else the tag.</summary>
    public Reference Reference => Digest is { } digest ? digest : Tag!.Value;

    /// <summary>All of it, as files and logs want it: <c>docker.io/library/debian:latest</c>.</summary>
    public string Canonical => $"{Host}/{Repository}{Suffix}";

    private string Suffix => $"{(Tag is { } tag ? $":{tag}" : "")}{(Digest is { } digest ? $"@{digest}" : "")}";

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageName? name)
    {
        name = null;
        if (text is null || text.Length > 1024 || !TrySplitReference(text, out var rest, out var tag, out var digest)) return false;

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : rest[..slash];
        var host = DockerHub;
        if (first.Length > 0 && LooksLikeHost(first))
        {
            if (!TryParseHost(first, out host!)) return false;
            rest = rest[(slash + 1)..];
        }
        else if (slash < 0 && IsImageId(rest))
        {
            return false; // docker takes it for an image's id, so nobody can have meant a repository
        }

        if (host == DockerHub && !rest.Contains('/', StringComparison.Ordinal)) rest = OfficialPrefix + rest;
        if (!RepositoryName.TryParse(rest, out var repository)) return false;

        name = new ImageName(host, repository, tag, digest);
        return true;
    }

    /// <exception cref="EngineException"><see cref="EngineFault.Usage"/>, showing the text.</exception>
    public static ImageName Parse(string? text) => TryParse(text, out var name) ? name
        : throw new EngineException(EngineFault.Usage, $"'{RemoteText.Shown(text, 200)}' is not the name of an image, like debian, ghcr.io/owner/app:1.0 or localhost:5000/app@sha256:...");

    /// <summary>A registry's host with or without port, in lower case; docker.io under any of its names is <see cref="DockerHub"/>.</summary>
    public static bool TryParseHost([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? host)
    {
        host = text?.ToLowerInvariant();
        if (host is null || host.Length > 260 || !IsHost(host)) return false;
        if (!Uri.TryCreate($"https://{host}/", UriKind.Absolute, out var uri) || uri.Port is < 1 or > 65535) return false;

        if (host is "index.docker.io" or "registry-1.docker.io") host = DockerHub;
        return true;
    }

    /// <summary>The same repository at this digest, the tag forgotten.</summary>
    public ImageName At(Digest digest) => this with { Digest = digest, Tag = null };

    /// <summary>The same repository at this tag.</summary>
    public ImageName At(TagName tag) => this with { Digest = null, Tag = tag };

    /// <summary>As people write it: without docker.io, and without <c>library/</c> there.</summary>
    public override string ToString()
    {
        if (Host != DockerHub) return Canonical;
        var repository = Repository.ToString();
        var isOfficial = repository.StartsWith(OfficialPrefix, StringComparison.Ordinal) && repository.LastIndexOf('/') < OfficialPrefix.Length;
        return (isOfficial ? repository[OfficialPrefix.Length..] : repository) + Suffix;
    }

    private static bool TrySplitReference(string text, out string rest, out TagName? tag, out Digest? digest)
    {
        (rest, tag, digest) = (text, null, null);
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            if (!Oci.Digest.TryParse(rest[(at + 1)..], out var parsed)) return false;
            (digest, rest) = (parsed, rest[..at]);
        }

        // After the last slash a colon is a tag's; before it a port's.
        var colon = rest.LastIndexOf(':');
        if (colon <= rest.LastIndexOf('/')) return true;
        if (!TagName.TryParse(rest[(colon + 1)..], out var name)) return false;
        (tag, rest) = (name, rest[..colon]);
        return true;
    }

    private static bool LooksLikeHost(string first) =>
        first.Equals("localhost", StringComparison.OrdinalIgnoreCase) || first.AsSpan().ContainsAny('.', ':');

    /// <summary>DNS labels and dots, or an IPv6 address in brackets; then perhaps a port.</summary>
    private static bool IsHost(ReadOnlySpan<char> text)
    {
        var colon = text.LastIndexOf(':');
        if (colon > text.LastIndexOf(']'))
        {
            var port = text[(colon + 1)..];
            if (port.Length is < 1 or > 5 || port.ContainsAnyExceptInRange('0', '9')) return false;
            text = text[..colon];
        }

        if (text.Length > 2 && text[0] == '[' && text[^1] == ']') return IsMadeOf(text[1..^1], "0123456789abcdef:.");
        var before = '.';
        foreach (var next in text)
        {
            var fits = next switch
            {
                '.' => before is not ('.' or '-'),
                '-' => before != '.',
                _ => char.IsAsciiLetterLower(next) || char.IsAsciiDigit(next),
            };
            if (!fits) return false;
            before = next;
        }

        return before is not ('.' or '-');
    }

    private static bool IsImageId(ReadOnlySpan<char> text) => text.Length == 64 && IsMadeOf(text, "0123456789abcdef");

    private static bool IsMadeOf(ReadOnlySpan<char> text, string letters)
    {
        foreach (var letter in text)
            if (!letters.Contains(letter, StringComparison.Ordinal)) return false;
        return true;
    }
}
