using System.ComponentModel.DataAnnotations;
using Gantry.Core.Scrub;

namespace Gantry.Core.Tests.Scrub;

public sealed class ScrubOptionsTests
{
    [Fact]
    public void Accepts_TheDefaults_AndTheEdges()
    {
        Assert.Empty(Faults(new ScrubOptions()));
        Assert.Empty(Faults(new ScrubOptions { Interval = TimeSpan.FromHours(1), BytesPerSecond = 64 * 1024 }));
        Assert.Empty(Faults(new ScrubOptions { Interval = TimeSpan.FromDays(3650), BytesPerSecond = 1L << 40 }));
    }

    [Fact]
    public void Rejects_WhatIsOutOfRange_AllOfIt()
    {
        Assert.Equal(2, Faults(new ScrubOptions { Interval = TimeSpan.FromMinutes(59), BytesPerSecond = 64 * 1024 - 1 }).Count);
        Assert.Equal(2, Faults(new ScrubOptions { Interval = TimeSpan.FromDays(3651), BytesPerSecond = (1L << 40) + 1 }).Count);
    }

    private static List<ValidationResult> Faults(ScrubOptions options) => [.. options.Validate(new ValidationContext(options))];
}
