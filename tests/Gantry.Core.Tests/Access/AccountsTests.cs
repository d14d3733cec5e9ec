using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class AccountsTests
{
    private static readonly AccountName Jane = AccountName.Parse("jane");

    [Fact]
    public async Task Create_WithATakenName_ReturnsFalse()
    {
        await using var parts = await AccessParts.CreateAsync();
        await parts.CreateAccountAsync("jane", "correct horse");

        Assert.False(await parts.Get<Accounts>().CreateAsync(Jane, "another one", new AccountSettings { IsAdministrator = true }, Actor.Console));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts WHERE NOT is_administrator"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234567")]
    public async Task Create_WithAShortPassword_IsRefused(string password)
    {
        await using var parts = await AccessParts.CreateAsync();
        foreach (var fault in new[] { password, new string('x', 1025) })
        {
            await Assert.ThrowsAsync<ArgumentException>(
                () => parts.Get<Accounts>().CreateAsync(Jane, fault, new AccountSettings(), Actor.Console));
        }

        Assert.False(await parts.Get<Accounts>().AnyAsync());
    }

    [Fact]
    public async Task ResetPassword_ChangesHashAndStamp_AndReturnsTheNewOne()
    {
        await using var parts = await AccessParts.CreateAsync();
        await parts.CreateAccountAsync("jane", "correct horse");
        var before = await parts.ScalarAsync<Guid>("SELECT security_stamp FROM accounts");

        Assert.Equal("battery staple", await parts.Get<Accounts>().ResetPasswordAsync(Jane, "battery staple", Actor.Console));
        Assert.NotEqual(before, await parts.ScalarAsync<Guid>("SELECT security_stamp FROM accounts"));
        Assert.Equal(PasswordVerificationResult.Success, await VerifyAsync(parts, "battery staple"));

        var generated = await parts.Get<Accounts>().ResetPasswordAsync(Jane, null, Actor.Console);
        Assert.Equal(24, generated!.Length);
        Assert.Equal(PasswordVerificationResult.Success, await VerifyAsync(parts, generated));
        Assert.Equal(PasswordVerificationResult.Failed, await VerifyAsync(parts, "battery staple"));
    }

    [Fact]
    public async Task ResetPassword_OfNobody_ReturnsNull()
    {
        await using var parts = await AccessParts.CreateAsync();
        Assert.Null(await parts.Get<Accounts>().ResetPasswordAsync(Jane, null, Actor.Console));
    }

    [Fact]
    public async Task Hash_IsOfTheConfiguredStrength()
    {
        await using var parts = await AccessParts.CreateAsync();
        var weak = await parts.Get<PasswordHashing>().HashAsync("correct horse");

        using var strong = new PasswordHashing(Options.Create(new AccessOptions { PasswordHashIterations = 120_000 }));
        Assert.Equal(PasswordVerificationResult.SuccessRehashNeeded, await strong.VerifyAsync(weak, "correct horse"));
        Assert.Equal(PasswordVerificationResult.Failed, await strong.VerifyAsync(weak, "correct hors"));
        Assert.Equal(PasswordVerificationResult.Failed, await strong.VerifyAsync(null, "correct horse"));
    }

    private static async Task<PasswordVerificationResult> VerifyAsync(AccessParts parts, string password) =>
        await parts.Get<PasswordHashing>().VerifyAsync(
            await parts.ScalarAsync<string>("SELECT password_hash FROM accounts"), password);
}
