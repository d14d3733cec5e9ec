using Gantry.Oci;

namespace Gantry.Storage.Tests;

public abstract partial class UploadStagingContract
{
    /// <summary>
    /// Any order of appends, checkpoints, crashes (the writer goes without a checkpoint), lost hash states and digests
    /// ends in the acknowledged prefix plus what was appended since.
    /// </summary>
    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public async Task AnyOrderOfOperations_KeepsTheAcknowledgedPrefix(DigestAlgorithm algorithm)
    {
        for (var seed = 1; seed <= PropertyRounds; seed++)
        {
            var random = new Random(seed);
            var (writer, session, state) = await StartAsync(algorithm);
            var (acknowledged, written) = (Array.Empty<byte>(), new List<byte>());
            try
            {
                for (var step = random.Next(2, 25); step > 0; step--)
                {
                    switch (random.Next(8))
                    {
                        case 0 or 1 or 2:
                            var chunk = Content(random.Next(random.Next(4) == 0 ? 600_000 : 300), random.Next());
                            await AppendAsync(writer, chunk);
                            written.AddRange(chunk);
                            break;
                        case 3 or 4:
                            state = await writer.CheckpointAsync(None);
                            acknowledged = [.. written];
                            break;
                        case 5:
                            if (random.Next(3) == 0) state = state with { HashState = null };
                            await writer.DisposeAsync();
                            writer = await OpenAsync(session, state);
                            written = [.. acknowledged];
                            break;
                        case 6:
                            var asked = random.Next(2) == 0 ? DigestAlgorithm.Sha256 : DigestAlgorithm.Sha512;
                            Assert.Equal(Digest.Of(written.ToArray(), asked), await writer.DigestAsync(asked, None));
                            break;
                        default:
                            if (HoldsUploads) Assert.Null(await Staging.OpenAsync(session, _ => new(state), None));
                            break;
                    }

                    Assert.Equal(written.Count, writer.Offset);

                    // Where bytes can be read back only as a whole, their digest ends the upload.
                    if (writer.IsSealed) break;
                }

                Assert.Equal(Digest.Of(written.ToArray(), algorithm), await writer.DigestAsync(algorithm, None));
                var location = await writer.CommitAsync(None);
                var read = await ReadAsync(location);
                Assert.True(read.AsSpan().SequenceEqual(written.ToArray()), $"seed {seed}");
            }
            finally
            {
                await writer.DisposeAsync();
            }
        }
    }

    /// <summary>How many sequences the property test tries; a slow backend takes fewer.</summary>
    protected virtual int PropertyRounds => 40;
}
