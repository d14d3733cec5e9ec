using System.Diagnostics;
using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

[Trait("Speed", "Slow")]
public sealed class PasswordLoginTests
{
    private const string Password = "correct horse";
    private static readonly AccountName Jane = AccountName.Parse("jane");
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    [Fact]
    public async Task Login_WithTheRightPassword_ReturnsTheAccount()
    {
        await using var parts = await WithJaneAsync();
        var login = await parts.Get<PasswordLogin>().TryLoginAsync("jane", Password, Here);
        Assert.Equal((await parts.AccountAsync("jane"), LoginMethod.Password), (login!.Account, login.Method));
    }

    [Theory]
    [InlineData("jane", "correct hors")]
    [InlineData("jane", "")]
    [InlineData("john", Password)]
    [InlineData("Jane", Password)]
    [InlineData("", "")]
    [InlineData("jane\0", Password)]
    public async Task Login_WithAnythingElse_ReturnsNull(string name, string password)
    {
        await using var parts = await WithJaneAsync();
        Assert.Null(await parts.Get<PasswordLogin>().TryLoginAsync(name, password, Here));
        Assert.Null(await parts.Get<PasswordLogin>().TryLoginAsync(name, password + new string('x', 2000), Here));
    }

    [Fact]
    public async Task Login_Remembered_DoesNotHashAgain()
    {
        await using var parts = await WithJaneAsync(("Access:PasswordHashIterations", "1000000"));
        var logins = parts.Get<PasswordLogin>();
        var first = Stopwatch.StartNew();
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));
        first.Stop();

        var many = Stopwatch.StartNew();
        for (var i = 0; i < 20; i++) Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));
        Assert.True(many.Elapsed < 5 * first.Elapsed, $"20 in {many.Elapsed}, the first one in {first.Elapsed}");
    }

    [Theory]
    [InlineData("UPDATE accounts SET disabled_at = now()")]
    [InlineData("UPDATE accounts SET security_stamp = gen_random_uuid(), password_hash = null")]
    [InlineData("DELETE FROM accounts")]
    public async Task Login_Remembered_EndsWithAnyChangeOfTheAccountInTheDatabase(string change)
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));

        await parts.ExecuteAsync(change);

        Assert.Null(await logins.TryLoginAsync("jane", Password, Here));
    }

    [Fact]
    public async Task Login_AfterAReset_WantsTheNewPassword()
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));

        await parts.AnotherNode().Get<Accounts>().ResetPasswordAsync(Jane, "battery staple", Actor.Console);

        Assert.Null(await logins.TryLoginAsync("jane", Password, Here));
        Assert.NotNull(await logins.TryLoginAsync("jane", "battery staple", Here));
    }

    [Fact]
    public async Task Login_WithAWeakHash_RenewsItAndKeepsTheStamp()
    {
        await using var parts = await WithJaneAsync();
        var (hash, stamp) = (await HashAsync(parts), await parts.ScalarAsync<Guid>("SELECT security_stamp FROM accounts"));
        await using var stronger = parts.AnotherNode(("Access:PasswordHashIterations", "110000"));

        Assert.NotNull(await stronger.Get<PasswordLogin>().TryLoginAsync("jane", Password, Here));
        var renewed = await HashAsync(parts);
        Assert.NotEqual(hash, renewed);
        Assert.Equal(stamp, await parts.ScalarAsync<Guid>("SELECT security_stamp FROM accounts"));

        Assert.NotNull(await stronger.Get<PasswordLogin>().TryLoginAsync("jane", Password, Here));
        Assert.Equal(renewed, await HashAsync(parts));
    }

    [Fact]
    public async Task Guesses_InParallel_DoNotSlipThrough()
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();

        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            try
            {
                return await logins.TryLoginAsync("jane", $"guess number {i}", Here) is null ? "looked at" : "in";
            }
            catch (OciException e)
            {
                Assert.Equal(OciErrorCode.TooManyRequests, e.Code);
                Assert.InRange(e.RetryAfterSeconds!.Value, 1, 300);
                return "refused";
            }
        }));

        Assert.Equal(5, results.Count(result => result == "looked at"));
        Assert.Equal(35, results.Count(result => result == "refused"));
    }

    [Fact]
    public async Task RightPassword_ManyTimesAtOnce_IsOneLook()
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => logins.TryLoginAsync("jane", Password, Here))));
        Assert.All(results, Assert.NotNull);
    }

    [Fact]
    public async Task RightPassword_FromAnotherAddress_WorksWhileOneIsThrottled()
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();
        for (var i = 0; i < 5; i++) Assert.Null(await logins.TryLoginAsync("jane", $"guess number {i}", Here));

        await Assert.ThrowsAsync<OciException>(() => logins.TryLoginAsync("jane", Password, Here));
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, There));

        parts.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));
    }

    [Fact]
    public async Task RememberedLogin_DoesNotAnswerGuessesOfAThrottledAddress()
    {
        await using var parts = await WithJaneAsync();
        var logins = parts.Get<PasswordLogin>();
        Assert.NotNull(await logins.TryLoginAsync("jane", Password, Here));
        for (var i = 0; i < 5; i++) Assert.Null(await logins.TryLoginAsync("jane", $"guess number {i}", Here));

        await Assert.ThrowsAsync<OciException>(() => logins.TryLoginAsync("jane", Password, Here));
    }

    [Fact]
    public async Task UnknownAccounts_TakeAsLongAsKnownOnes()
    {
        await using var parts = await WithJaneAsync(("Access:PasswordHashIterations", "1000000"));
        var logins = parts.Get<PasswordLogin>();
        await logins.TryLoginAsync("warmup", Password, There);

        var known = await TimeAsync(() => logins.TryLoginAsync("jane", "wrong password", Here));
        var unknown = await TimeAsync(() => logins.TryLoginAsync("john", "wrong password", Here));
        Assert.InRange(unknown / known, 0.3, 3.0);
    }

    private static async Task<AccessParts> WithJaneAsync(params (string, string)[] settings)
    {
        var parts = await AccessParts.CreateAsync(settings);
        await parts.CreateAccountAsync("jane", Password);
        return parts;
    }

    private static Task<string> HashAsync(AccessParts parts) => parts.ScalarAsync<string>("SELECT password_hash FROM accounts");

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        await work();
        return watch.Elapsed.TotalMilliseconds;
    }
}
