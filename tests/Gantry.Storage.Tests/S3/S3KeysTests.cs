using Gantry.Storage.S3;

namespace Gantry.Storage.Tests.S3;

public sealed class S3KeysTests
{
    private const string Location = "blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf00d";
    private static readonly Guid Session = Guid.Parse("0193b5a2-7c1e-7d3f-8a4b-5c6d7e8f9abc");
    private static readonly S3Keys Keys = new("team/registry/");

    [Fact]
    public void Keys_AreBelowThePrefix_LocationsAreNot()
    {
        Assert.Equal(Location, S3Keys.LocationOf(Session, 0x0badf00d).Value);
        Assert.Equal($"team/registry/{Location}", Keys.KeyOf(new BlobLocation(Location)));
        Assert.Equal("team/registry/uploads/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc/0000000f4240-0badf00d", Keys.PieceOf(Session, 1_000_000, 0x0badf00d));
        Assert.StartsWith(Keys.BlobsOf(Session), Keys.KeyOf(new BlobLocation(Location)), StringComparison.Ordinal);
        Assert.StartsWith(Keys.BlobsOf((byte)0xbc), Keys.BlobsOf(Session), StringComparison.Ordinal);
        Assert.StartsWith(Keys.PiecesOf((byte)0xbc), Keys.PiecesOf(Session), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_GivesBackTheSession()
    {
        Assert.Equal((Session, new BlobLocation(Location)), Keys.ParseBlob($"team/registry/{Location}"));
        Assert.Equal(Session, Keys.ParsePiece(Keys.PieceOf(Session, 5, 6)));
        Assert.Null(Keys.ParseBlob(Location));
        Assert.Null(Keys.ParseBlob(Keys.PieceOf(Session, 5, 6)));
        Assert.Null(Keys.ParsePiece($"team/registry/{Location}"));
        Assert.Null(Keys.ParsePiece(Keys.PiecesOf(Session)[..^1]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("probes/x")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0BADF00D")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abd-0badf00d")]
    [InlineData("blobs/BC/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf00d")]
    [InlineData("blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf00d/")]
    [InlineData("uploads/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf0")]
    [InlineData("blobs/bc/../bc/3b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf00d")]
    [InlineData("team/registry/blobs/bc/0193b5a27c1e7d3f8a4b5c6d7e8f9abc-0badf00d")]
    public void Rejects_LocationsOfAnotherShape(string? value) =>
        Assert.Throws<ArgumentException>(() => Keys.KeyOf(new BlobLocation(value!)));
}
