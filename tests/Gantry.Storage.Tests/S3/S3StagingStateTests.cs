using Gantry.Storage.S3;

namespace Gantry.Storage.Tests.S3;

public sealed class S3StagingStateTests
{
    private static readonly S3StagingState Full = new(
        new Multipart(0xdeadbeef, "2~an upload's id"),
        [new Part(8 << 20, "\"0123456789abcdef0123456789abcdef\""), new Part(77, "another tag"), new Part(1, "\"0123456789ABCDEF0123456789abcdef\"")],
        [new Piece(8388686, 65536, 1), new Piece(8454222, 1, uint.MaxValue)],
        [new Piece(0, 5, 6)]);

    [Fact]
    public void Parse_GivesBackWhatWasSaved()
    {
        var read = S3StagingState.Parse(Full.Save())!;
        Assert.Equal(Full.Multipart, read.Multipart);
        Assert.Equal(Full.Parts, read.Parts);
        Assert.Equal(Full.Pieces, read.Pieces);
        Assert.Equal(Full.Spent, read.Spent);
        Assert.Equal((8 << 20) + 77 + 1 + 65536 + 1, read.Length);
    }

    [Fact]
    public void Save_OfNothing_IsNull() => Assert.Null(S3StagingState.Empty.Save());

    /// <summary>A state is written with every chunk.</summary>
    [Fact]
    public void Save_TakesFewBytes()
    {
        var pieces = Enumerable.Range(0, 128).Select(n => new Piece(n * 65536L, 65536, (uint)n)).ToList();
        var parts = Enumerable.Range(0, 1000).Select(n => new Part(8 << 20, $"\"{n:x32}\"")).ToList();
        Assert.InRange(new S3StagingState(Full.Multipart, [], pieces, []).Save()!.Length, 1, 128 * 12);
        Assert.InRange(new S3StagingState(Full.Multipart, parts, [], []).Save()!.Length, 1, 1000 * 22);
    }

    [Fact]
    public void Parse_OfWhatWasCutOrGrown_IsNull()
    {
        var saved = Full.Save()!;
        for (var length = 0; length < saved.Length; length++) Assert.Null(S3StagingState.Parse(saved[..length]));
        Assert.Null(S3StagingState.Parse([.. saved, 0]));
        Assert.Null(S3StagingState.Parse([2, .. saved[1..]]));
    }
}
