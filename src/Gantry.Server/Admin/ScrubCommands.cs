using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.CompilerServices;
using Gantry.Core.Scrub;
using Gantry.Oci;

namespace Gantry.Server.Admin;

internal static class ScrubCommand
{
    /// <summary>After so many blobs in a row the store is taken to be away.</summary>
    private const int MostPutOff = 10;

    public static Command Create(AdminVerbs verbs)
    {
        var digests = new Argument<Digest[]>("digest")
        {
            Description = "blobs to read; none: all that are due", Arity = ArgumentArity.ZeroOrMore, CustomParser = Parse,
        };
        return verbs.Verb("scrub", "Read blobs again and quarantine what rotted. Exits with 1 where something did, or could not be read.",
            async (result, services, stop) =>
            {
                var scrub = services.GetRequiredService<BlobScrub>();
                var named = result.GetValue(digests)!;
                var (read, wrong, putOff) = (0, 0, 0);
                await foreach (var blob in named.Length > 0 ? Named(scrub, named, stop) : scrub.RunDueAsync(stop))
                {
                    read++;
                    putOff = blob.Outcome == ScrubOutcome.PutOff ? putOff + 1 : 0;
                    // What was collected or pushed anew meanwhile is nobody's fault; a name that there is no blob for is.
                    var isWell = blob.Outcome is ScrubOutcome.Good or ScrubOutcome.Back
                        || (blob.Outcome == ScrubOutcome.Gone && named.Length == 0);
                    if (!isWell) wrong++;
                    if (!isWell || blob.Outcome == ScrubOutcome.Back) AdminVerbs.Print($"{blob.Digest}  {Word(blob.Outcome)}: {blob.Detail}");
                    if (putOff == MostPutOff) return Verbs.Fail("the store does not seem to answer; the rest is left");
                }

                AdminVerbs.Print($"{read} blobs read, {wrong} not well");
                return wrong == 0 ? Verbs.Ok : Verbs.Failure;
            }, digests);
    }

    private static async IAsyncEnumerable<ScrubResult> Named(
        BlobScrub scrub, Digest[] digests, [EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var digest in digests) yield return await scrub.CheckAsync(digest, stop);
    }

    private static Digest[] Parse(ArgumentResult result)
    {
        var parsed = new List<Digest>();
        foreach (var token in result.Tokens)
        {
            if (Digest.TryParse(token.Value, out var digest)) parsed.Add(digest);
            else result.AddError($"'{token.Value}' is not a digest");
        }

        return [.. parsed];
    }

    private static string Word(ScrubOutcome outcome) => outcome switch
    {
        ScrubOutcome.Rotten => "quarantined",
        ScrubOutcome.Back => "served again",
        ScrubOutcome.PutOff => "could not be read",
        _ => "not there",
    };
}

internal static class QuarantinedCommand
{
    public static Command Create(AdminVerbs verbs) =>
        verbs.Verb("quarantined", "List the blobs that rotted and wait for a push: digest, size, since, repositories.",
            async (_, services, stop) => AdminVerbs.Print([.. (await services.GetRequiredService<Quarantine>().ListAsync(stop))
                .Select(blob => new[] { blob.Digest, $"{blob.Size}", $"{blob.Since:u}", string.Join(' ', blob.Repositories) })]));
}
