using System.ComponentModel.DataAnnotations;
using Gantry.Core.Webhooks;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Webhooks;

public sealed class WebhookOptionsTests
{
    private static readonly DateTimeOffset Made = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Accepts_TheDefaults_AndTheEdges()
    {
        Assert.Empty(Faults(new WebhookOptions()));
        Assert.Empty(Faults(new WebhookOptions { AllowedNetworks = ["10.0.0.0/8", "::1"], Proxy = "http://user:password@proxy.example:3128" }));
        Assert.Empty(Faults(new WebhookOptions { FirstRetry = TimeSpan.FromHours(1), LongestRetry = TimeSpan.FromHours(1), Timeout = TimeSpan.FromMinutes(1) }));
    }

    [Fact]
    public void Rejects_WhatIsOutOfRange_AllOfIt_AndShowsNoPassword()
    {
        var faults = Faults(new WebhookOptions
        {
            AllowedNetworks = ["10.0.0.0/8", "inside"], RefusedNetworks = ["10.0.0.0/33"], Proxy = "user:password@proxy", CaFile = "/nonexistent",
            Timeout = TimeSpan.Zero, FirstRetry = TimeSpan.Zero, LongestRetry = TimeSpan.FromDays(2), GiveUpAfter = TimeSpan.Zero,
            FailingAfter = TimeSpan.Zero, Retention = TimeSpan.Zero,
        });
        Assert.Equal(10, faults.Count);
        Assert.DoesNotContain(faults, fault => fault.ErrorMessage!.Contains("password", StringComparison.Ordinal));
        Assert.Single(Faults(new WebhookOptions { FirstRetry = TimeSpan.FromMinutes(2), LongestRetry = TimeSpan.FromMinutes(1) }));
    }

    [Theory]
    [InlineData(1, 7.5, 12.5)]
    [InlineData(2, 15, 25)]
    [InlineData(5, 120, 200)]
    [InlineData(12, 10_800, 18_000)]
    [InlineData(1000, 10_800, 18_000)]
    public void Wait_DoublesUpToTheLongest_AQuarterMoreOrLess(int attempts, double least, double most)
    {
        var retries = new RetryTimes(Options.Create(new WebhookOptions()));
        Assert.Equal(Made.AddSeconds(least), retries.Next(Made, Made, attempts, null, luck: 0));
        Assert.Equal(Made.AddSeconds(most), retries.Next(Made, Made, attempts, null, luck: 1));
    }

    [Fact]
    public void Wait_ThatEndsAfterTheLastMoment_IsNone()
    {
        var retries = new RetryTimes(Options.Create(new WebhookOptions()));
        Assert.NotNull(retries.Next(Made.AddDays(3).AddSeconds(-10), Made, 1, null, luck: 0.5));
        Assert.Null(retries.Next(Made.AddDays(3).AddSeconds(-9), Made, 1, null, luck: 0.5));
    }

    [Fact]
    public void Wait_IsWhatTheTargetAsksFor_UpToTheLongest()
    {
        var retries = new RetryTimes(Options.Create(new WebhookOptions()));
        Assert.Equal(Made.AddMinutes(30), retries.Next(Made, Made, 1, TimeSpan.FromMinutes(30), luck: 0.5));
        Assert.Equal(Made.AddHours(4), retries.Next(Made, Made, 1, TimeSpan.FromDays(300), luck: 0.5));
        Assert.Equal(Made.AddSeconds(10), retries.Next(Made, Made, 1, TimeSpan.FromSeconds(-5), luck: 0.5));
    }

    private static List<ValidationResult> Faults(WebhookOptions options) => [.. options.Validate(new ValidationContext(options))];
}
