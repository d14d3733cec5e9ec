using System.Net;
using System.Text.Json;
using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Remote;

public sealed partial class RemoteRepository
{
    /// <summary>Pages of one list; with 1,000 entries each, a million tags.</summary>
    private const int MaxPages = 1000;

    /// <summary>Of one page: registries that ignore <c>n</c> send all tags at once.</summary>
    private const int MaxTagPage = 16 * 1024 * 1024;

    /// <summary>More are not kept in memory: 500 bytes each at the most.</summary>
    private const int MaxReferrers = 20_000;

    /// <summary>All tags, in the registry's order.</summary>
    public async Task<IReadOnlyList<TagName>> ListTagsAsync(CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Get, Name, "tags/list?n=1000", $"the tags of {Name}");
        var tags = new List<TagName>();
        await foreach (var page in PagesAsync(call, MaxTagPage, cancellationToken))
        {
            if (page.Status != HttpStatusCode.OK) throw Registry.Failure(call, page);
            ReadTags(page.Body, tags);
        }

        return tags;
    }

    /// <summary>
    /// Manifests that have this one as their subject: by the referrers API, or where the registry has none by the fallback tag
    /// (distribution-spec, "Listing Referrers"). Empty where there are none.
    /// </summary>
    /// <param name="artifactType">Only of this type; null: all.</param>
    public async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, string? artifactType = null, CancellationToken cancellationToken = default)
    {
        var filter = artifactType is null ? "" : $"?artifactType={Uri.EscapeDataString(artifactType)}";
        var call = new Call(HttpMethod.Get, Name, $"referrers/{subject}{filter}", $"the referrers of {subject}") { Accept = [MediaTypes.OciIndex] };
        var found = new List<Descriptor>();
        await foreach (var page in PagesAsync(call, ManifestDocument.MaxBytes, cancellationToken))
        {
            // Whatever else comes instead of an index is a registry from before the API: some answer 404, some 400, some a web page.
            if (page.Status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.MethodNotAllowed
                || (page.Status == HttpStatusCode.OK && page.MediaType != MediaTypes.OciIndex))
            {
                return Filtered(await FallbackAsync(subject, cancellationToken), artifactType);
            }

            if (page.Status != HttpStatusCode.OK) throw Registry.Failure(call, page);
            found.AddRange(new RemoteDocument(page.MediaType, Digest.Of(page.Body), page.Body).Parse().Manifests);
            if (found.Count > MaxReferrers) throw new EngineException(EngineFault.TooLarge, $"{Host} lists more than {MaxReferrers} referrers of {subject}");
        }

        return Filtered(found, artifactType);
    }

    private async Task<IReadOnlyList<Descriptor>> FallbackAsync(Digest subject, CancellationToken cancellationToken)
    {
        // A tag holds 128 characters: a sha512 is cut to fit (distribution-spec, "Referrers Tag Schema": each part truncated).
        var tag = TagName.Parse($"{subject.Algorithm.Name()}-{subject.Hex[..Math.Min(64, subject.Hex.Length)]}");
        try
        {
            var document = await GetManifestAsync(tag, [MediaTypes.OciIndex], cancellationToken);
            var index = document.Parse();
            return index.Kind == ManifestKind.Index ? index.Manifests : [];
        }
        catch (EngineException none) when (none.Fault == EngineFault.NotFound)
        {
            return [];
        }
    }

    /// <summary>Follows <c>Link: &lt;...&gt;; rel="next"</c> within the registry's own origin.</summary>
    private async IAsyncEnumerable<Answer> PagesAsync(
        Call call, int maxBody, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var pages = 0; ; pages++)
        {
            if (pages == MaxPages) throw new EngineException(EngineFault.TooLarge, $"{Host} has more than {MaxPages} pages of {call.What}");
            var answer = await Registry.AskAsync(call, maxBody, cancellationToken);
            yield return answer;
            if (LinkHeader.Next(answer) is not { } next) yield break;
            if (next == answer.Address) throw new EngineException(EngineFault.Network, $"{Host} names the same page of {call.What} as the next one");
            call = call with { Address = next };
        }
    }

    private void ReadTags(byte[] body, List<TagName> into)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 8 });
            if (!json.RootElement.TryGetProperty("tags", out var tags)) throw Broken();
            if (tags.ValueKind == JsonValueKind.Null) return; // how distribution writes "none"
            foreach (var item in tags.EnumerateArray()) into.Add(TagName.TryParse(item.GetString(), out var tag) ? tag : throw Broken());
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken();
        }

        EngineException Broken() => new(EngineFault.InvalidDocument, $"{Host} answers with something that is no list of tags of {Name}");
    }

    // The registry may have done it already (OCI-Filters-Applied); doing it again changes nothing.
    private static IReadOnlyList<Descriptor> Filtered(IReadOnlyList<Descriptor> all, string? artifactType) =>
        artifactType is null ? all : [.. all.Where(descriptor => descriptor.ArtifactType == artifactType)];
}
