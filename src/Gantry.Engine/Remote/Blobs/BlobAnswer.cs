using System.Net;
using System.Runtime.InteropServices;

namespace Gantry.Engine.Remote.Blobs;

/// <summary>Which bytes of the blob an answer claims to hold: from <paramref name="Start"/> up to, not with, <paramref name="End"/>.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BlobAnswer(long Start, long End)
{
    /// <summary>Holds an answer's claims against what was asked for and what the descriptor says.</summary>
    /// <param name="place">For messages.</param>
    /// <param name="asked">Where the range asked for began; null: no range was asked for.</param>
    /// <param name="size">Of the whole blob, as the descriptor has it.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.Mismatch"/>: the answer is no part of that blob.</exception>
    public static BlobAnswer Check(HttpResponseMessage response, string place, long? asked, long size)
    {
        var headers = response.Content.Headers;
        if (headers.ContentEncoding.Any(encoding => encoding != "identity")) throw Lie("compressed, which it was asked not to be");
        if (response.StatusCode == HttpStatusCode.OK)
        {
            // A range may be ignored; then it is the whole blob, and what we have of it is passed over.
            return headers.ContentLength is { } length && length != size ? throw Lie($"with {length} bytes where {size} are due") : new BlobAnswer(0, size);
        }

        if (response.StatusCode != HttpStatusCode.PartialContent) throw Lie($"with a status of {(int)response.StatusCode}");
        if (asked is not { } from) throw Lie("in part where all was asked for");
        if (headers.ContentRange is not { Unit: "bytes", From: { } first, To: { } last } range) throw Lie("in part without saying which");
        if (first != from) throw Lie($"from byte {first} where {from} was asked for");
        if (range.Length is { } total && total != size) throw Lie($"as part of {total} bytes where {size} are due");
        if (last >= size || last < first) throw Lie($"up to byte {last} of {size}");
        if (headers.ContentLength is { } part && part != last - first + 1) throw Lie($"with {part} bytes for the range {first} to {last}");
        return new BlobAnswer(first, last + 1);

        EngineException Lie(string how) => new(EngineFault.Mismatch, $"{place} sends the blob {how}");
    }
}
