using Gantry.Engine.Images;

namespace Gantry.Engine.Tests.Images;

public sealed class ImagePlatformTests
{
    [Theory]
    [Trait("Pull", "B95")]
    [InlineData("linux/x86_64", "linux/amd64")]
    [InlineData("linux/x86-64", "linux/amd64")]
    [InlineData("linux/amd64/v1", "linux/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3")]
    [InlineData("linux/aarch64", "linux/arm64")]
    [InlineData("linux/arm64/v8", "linux/arm64")]
    [InlineData("linux/arm64/v8.2", "linux/arm64/v8.2")]
    [InlineData("linux/arm64/9.0", "linux/arm64/v9")]
    [InlineData("linux/armhf", "linux/arm/v7")]
    [InlineData("linux/armel", "linux/arm/v6")]
    [InlineData("linux/arm", "linux/arm/v7")]
    [InlineData("linux/arm/6", "linux/arm/v6")]
    [InlineData("linux/i386", "linux/386")]
    [InlineData("LINUX/ARM64", "linux/arm64")]
    [InlineData("macos/arm64", "darwin/arm64")]
    [InlineData("s390x", "linux/s390x")]
    [InlineData("windows(10.0.20348.1)/amd64", "windows(10.0.20348.1)/amd64")]
    public void Accepts_Platform_InItsNormalForm(string text, string normal)
    {
        Assert.True(ImagePlatform.TryParse(text, out var platform));
        Assert.Equal(normal, platform.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("linux/")]
    [InlineData("linux/arm/v7/x")]
    [InlineData("linux /arm64")]
    [InlineData("../../etc")]
    [InlineData("linux\n")]
    public void Rejects_WhatIsNoPlatform(string text) => Assert.False(ImagePlatform.TryParse(text, out _));

    [Fact]
    public void Host_IsLinuxOfThisProcessor() =>
        Assert.Matches("^linux/(amd64(/v[234])?|arm64)$", HostPlatform.Current.ToString());

    [Theory]
    [Trait("Pull", "B96")]
    [InlineData("linux/arm/v7", "linux/arm/v6", "linux/arm/v5")]
    [InlineData("linux/arm64", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v5")]
    [InlineData("linux/arm64/v9.2", "linux/arm64/v9.1", "linux/arm64/v9", "linux/arm64/v8.7", "linux/arm64/v8.1", "linux/arm64", "linux/arm/v7")]
    [InlineData("linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386")]
    [InlineData("linux/amd64", "linux/amd64", "linux/386")]
    public void Fit_OfCompatibleVariants_IsInThisOrder(string wanted, params string[] bestFirst)
    {
        var fits = bestFirst.Select(image => PlatformFit.Of(Parse(image), Parse(wanted))).ToArray();
        Assert.All(fits, fit => Assert.NotNull(fit));
        Assert.Equal(fits.Order(), fits);
        Assert.Equal(fits.Length, fits.Distinct().Count());
    }

    [Theory]
    [Trait("Pull", "B96")]
    [InlineData("linux/arm/v7", "linux/arm/v8")]
    [InlineData("linux/arm/v7", "linux/arm64")]
    [InlineData("linux/arm64/v9.2", "linux/arm64/v8.8")]
    [InlineData("linux/arm64", "linux/arm64/v8.1")]
    [InlineData("linux/amd64", "linux/amd64/v2")]
    [InlineData("linux/386", "linux/amd64")]
    [InlineData("linux/amd64", "windows/amd64")]
    public void Fit_OfWhatDoesNotRun_IsNone(string wanted, string image) => Assert.Null(PlatformFit.Of(Parse(image), Parse(wanted)));

    [Theory]
    [Trait("Pull", "B100")]
    [InlineData("10.0.17763.1", "10.0.17763.9", true)]
    [InlineData("10.0.17763.1", "10.0.20348.1", false)]
    [InlineData("10.0.26100.1", "10.0.20348.1", true)]
    [InlineData("10.0.26100.1", "10.0.17763.1", false)]
    [InlineData("10.0.20348.1", "10.0.26100.1", false)]
    [InlineData("10.0.17763.1", null, true)]
    public void Fit_OfWindowsBuilds_FollowsTheHosts(string host, string? image, bool fits) => Assert.Equal(fits,
        PlatformFit.Of(ImagePlatform.Of("windows", "amd64", null, image), ImagePlatform.Of("windows", "amd64", null, host)) is not null);

    [Fact]
    [Trait("Pull", "B100")]
    public void Fit_OfTwoWindowsBuilds_PrefersTheNewer()
    {
        var wanted = ImagePlatform.Of("windows", "amd64", null, "10.0.26100.1");
        var older = PlatformFit.Of(ImagePlatform.Of("windows", "amd64", null, "10.0.20348.1"), wanted);
        var newer = PlatformFit.Of(ImagePlatform.Of("windows", "amd64", null, "10.0.25398.1"), wanted);
        var silent = PlatformFit.Of(ImagePlatform.Of("windows", "amd64"), wanted);
        Assert.True(newer!.Value.CompareTo(older!.Value) < 0);
        Assert.True(older.Value.CompareTo(silent!.Value) < 0);
    }

    private static ImagePlatform Parse(string text) =>
        ImagePlatform.TryParse(text, out var platform) ? platform : throw new FormatException(text);
}
