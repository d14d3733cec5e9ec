using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed partial class AccessTokenTextTests
{
    [Theory]
    [InlineData(AccountKind.Person, "gantry_pat_")]
    [InlineData(AccountKind.Robot, "gantry_rob_")]
    public void Generated_LookLikeWhatSecretScannersAreTold(AccountKind kind, string prefix)
    {
        var texts = Enumerable.Range(0, 1000).Select(_ => AccessTokenText.Generate(kind)).ToList();

        Assert.All(texts, text => Assert.Matches(Scanner(), text));
        Assert.All(texts, text => Assert.StartsWith(prefix, text, StringComparison.Ordinal));
        Assert.All(texts, text => Assert.True(AccessTokenText.IsWellFormed(text)));
        Assert.Equal(1000, texts.Distinct().Count());
    }

    // Made by another program: scanners that know the checksum must not need ours.
    [Theory]
    [InlineData("gantry_pat_00000000000000000000000000000000sNL4vK")]
    [InlineData("gantry_rob_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT")]
    public void Accepts_WhatHasTheChecksumItsFormatSays(string text)
    {
        Assert.True(AccessTokenText.IsMeant(text));
        Assert.True(AccessTokenText.IsWellFormed(text));
    }

    [Fact]
    public void Rejects_AnyTextWithOneSignChanged()
    {
        var genuine = AccessTokenText.Generate(AccountKind.Person);
        for (var i = 0; i < genuine.Length; i++)
        {
            var other = genuine.ToCharArray();
            other[i] = other[i] == 'x' ? 'y' : 'x';
            Assert.False(AccessTokenText.IsWellFormed(new string(other)), new string(other));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("gantry_pat_")]
    [InlineData("gantry_rob_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oG")]
    [InlineData("gantry_rob_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT ")]
    [InlineData("gantry_rob_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGTT")]
    [InlineData("GANTRY_ROB_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT")]
    [InlineData("gantry_pat_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT")]
    [InlineData("gantry_xyz_AbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT")]
    [InlineData("gantry_rob_ÄbCdEfGhIjKlMnOpQrStUvWxYz012345Oz1oGT")]
    public void Rejects_EverythingElse(string text) => Assert.False(AccessTokenText.IsWellFormed(text));

    [Theory]
    [InlineData("gantry_pat_", true)]
    [InlineData("gantry_rob_misspelt", true)]
    [InlineData("gantry-pat-1", false)]
    [InlineData("correct horse", false)]
    public void Meant_IsWhateverBeginsLikeOne(string text, bool meant) => Assert.Equal(meant, AccessTokenText.IsMeant(text));

    [Fact]
    public void Hash_IsTheSha256OfTheText()
    {
        var text = AccessTokenText.Generate(AccountKind.Robot);
        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes(text)), AccessTokenText.HashOf(text));
    }

    [GeneratedRegex("^gantry_(pat|rob)_[0-9A-Za-z]{38}$")]
    private static partial Regex Scanner();
}
