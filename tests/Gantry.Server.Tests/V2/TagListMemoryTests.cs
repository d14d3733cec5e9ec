using System.Net;
using System.Text.Json;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>A repository with 100,000 tags of the greatest length: 13 MB in one listing.</summary>
[Trait("Protocol", "D3.52")]
[Collection(nameof(Alone))]
[Trait("Speed", "Slow")]
public sealed class TagListMemoryTests(RegistryFixture registry)
{
    private const int Tags = 100_000, Listings = 8, Slice = 1024 * 1024;

    /// <summary>Eight listings buffered whole would hold 100 MB; streamed, a page of 1,000 tags and a few buffers each.</summary>
    private const long MaxGrowthBytes = 24 * 1024 * 1024;

    [Fact]
    public async Task Get_100000Tags_ListsThemAllInFlatMemory()
    {
        var repository = registry.NewRepository();
        var digest = await registry.Client.PushImageAsync(repository, null);
        await registry.Server.QueryAsync<object>(
            """
            INSERT INTO tags (repository_id, name, manifest_digest)
            SELECT id, 'tag-' || lpad(i::text, 124, '0'), $2 FROM repositories, generate_series(1, $3) i WHERE name = $1
            """, repository, digest.ToString(), Tags);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        // All are under way at once, and read in step, so that none is done before the last measurement but one.
        var listings = new List<(HttpResponseMessage Answer, Stream Body, Listed Listed)>();
        for (var i = 0; i < Listings; i++)
        {
            var answer = await registry.Client.GetAsync($"/v2/{repository}/tags/list", HttpCompletionOption.ResponseHeadersRead);
            answer.AssertStatus(HttpStatusCode.OK);
            Assert.Null(answer.RawHeader("Link"));
            listings.Add((answer, await answer.Content.ReadAsStreamAsync(), new Listed()));
        }

        var buffer = new byte[Slice];
        var growth = 0L;
        for (var open = true; open;)
        {
            open = false;
            foreach (var (_, body, listed) in listings)
            {
                var count = await body.ReadAtLeastAsync(buffer, Slice, throwOnEndOfStream: false);
                listed.Take(buffer.AsSpan(0, count));
                open |= count == Slice;
            }

            growth = Math.Max(growth, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        Assert.All(listings, listing => Assert.Equal((Tags, true), (listing.Listed.Count, listing.Listed.InOrder)));
        Assert.InRange(growth, 0, MaxGrowthBytes);
        foreach (var (answer, _, _) in listings) answer.Dispose();
    }

    [Fact]
    public async Task Get_InPages_EqualsTheWhole()
    {
        var repository = registry.NewRepository();
        var digest = await registry.Client.PushImageAsync(repository, null);
        await registry.Server.QueryAsync<object>(
            """
            INSERT INTO tags (repository_id, name, manifest_digest)
            SELECT id, 't' || i, $2 FROM repositories, generate_series(1, $3) i WHERE name = $1
            """, repository, digest.ToString(), 5_000);

        var whole = await registry.Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags");

        Assert.Equal(5_000, whole.Count);
        Assert.Equal(whole.Order(StringComparer.Ordinal), whole);
        // More than a page may hold is a page, with a Link.
        foreach (var n in (int[])[999, 1000, 1001, 4_999])
            Assert.Equal(whole, await registry.Client.FollowNamesAsync($"/v2/{repository}/tags/list?n={n}", "tags"));
    }

    /// <summary>Reads a listing piece by piece and keeps none of it.</summary>
    private sealed class Listed
    {
        private JsonReaderState _state;
        private byte[] _rest = [];
        private string _last = "";
        private bool _inTags;

        public int Count { get; private set; }

        public bool InOrder { get; private set; } = true;

        public void Take(ReadOnlySpan<byte> piece)
        {
            byte[] bytes = [.. _rest, .. piece];
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false, _state);
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray) _inTags = !_inTags;
                if (!_inTags || reader.TokenType != JsonTokenType.String) continue;
                var tag = reader.GetString()!;
                InOrder &= string.CompareOrdinal(_last, tag) < 0;
                _last = tag;
                Count++;
            }

            _state = reader.CurrentState;
            _rest = bytes[(int)reader.BytesConsumed..];
        }
    }
}
