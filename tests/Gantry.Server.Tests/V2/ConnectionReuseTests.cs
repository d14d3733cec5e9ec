using System.Text;
using Gantry.Oci;

namespace Gantry.Server.Tests.V2;

/// <summary>An answer that comes before its request's body was read leaves the connection fit for the next request.</summary>
[Trait("Protocol", "D4.72")]
public sealed class ConnectionReuseTests(RegistryFixture registry)
{
    [Theory]
    [InlineData("Content-Length: 200000", false)]
    [InlineData("Transfer-Encoding: chunked", true)]
    public async Task Put_RefusedForWantOfALogin_KeepsTheConnection(string framing, bool chunked)
    {
        await using var connection = await RawConnection.OpenAsync(registry.Server.Address);
        for (var round = 0; round < 3; round++)
        {
            await connection.SendAsync(RawConnection.HeadOfNobody("PUT", "/v2/a/b/manifests/v1", framing));
            await connection.SendAsync(Body(200_000, chunked));
            Assert.Equal(401, (await connection.ReadAsync()).Status);
        }

        Assert.Equal(200, (await BaseAsync(connection)).Status);
    }

    [Fact]
    [Trait("Protocol", "D3.41")]
    public async Task Put_TooLargeInChunks_KeepsTheConnection()
    {
        await using var connection = await RawConnection.OpenAsync(registry.Server.Address);
        await connection.SendAsync(
            RawConnection.Head("PUT", $"/v2/{registry.NewRepository()}/manifests/v1", "Transfer-Encoding: chunked"));
        await connection.SendAsync(Body(ManifestDocument.MaxBytes + 1, chunked: true));

        Assert.Equal(413, (await connection.ReadAsync()).Status);
        Assert.Equal(200, (await BaseAsync(connection)).Status);
    }

    private static async Task<RawResponse> BaseAsync(RawConnection connection)
    {
        await connection.SendAsync(RawConnection.Head("GET", "/v2/"));
        return await connection.ReadAsync();
    }

    private static string Body(int size, bool chunked)
    {
        if (!chunked) return new string('x', size);
        var body = new StringBuilder(size + 4096);
        for (var left = size; left > 0; left -= 65_536)
        {
            var count = Math.Min(left, 65_536);
            body.Append($"{count:x}\r\n").Append('x', count).Append("\r\n");
        }

        return body.Append("0\r\n\r\n").ToString();
    }
}
