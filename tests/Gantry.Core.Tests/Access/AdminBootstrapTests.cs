using System.Net;
using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

public sealed partial class AdminBootstrapTests
{
    [Fact]
    public async Task FirstStart_PrintsAPasswordThatWorks_Once()
    {
        await using var parts = await AccessParts.CreateAsync();
        var console = new StringWriter();

        await parts.Get<AccessStartup>().RunAsync(console);
        await parts.Get<AccessStartup>().RunAsync(console);

        var password = Assert.Single(PrintedPassword().Matches(console.ToString())).Groups["password"].Value;
        var login = await parts.Get<PasswordLogin>().TryLoginAsync("admin", password, IPAddress.Loopback);
        Assert.True(login!.Account.IsAdministrator);
    }

    [Fact]
    public async Task FirstStart_WithAConfiguredPassword_TakesItAndPrintsNothing()
    {
        await using var parts = await AccessParts.CreateAsync(("Access:AdminPassword", "correct horse"));
        var console = new StringWriter();

        await parts.Get<AccessStartup>().RunAsync(console);

        Assert.Empty(console.ToString());
        Assert.NotNull(await parts.Get<PasswordLogin>().TryLoginAsync("admin", "correct horse", IPAddress.Loopback));
    }

    [Fact]
    public async Task LaterStart_WithAnotherConfiguredPassword_ChangesNothing()
    {
        await using var parts = await AccessParts.CreateAsync(("Access:AdminPassword", "correct horse"));
        await parts.Get<AccessStartup>().RunAsync(TextWriter.Null);

        await using var later = parts.AnotherNode(("Access:AdminPassword", "battery staple"));
        Assert.False(await later.Get<AdminBootstrap>().RunAsync(TextWriter.Null));

        Assert.Null(await later.Get<PasswordLogin>().TryLoginAsync("admin", "battery staple", IPAddress.Loopback));
        Assert.NotNull(await later.Get<PasswordLogin>().TryLoginAsync("admin", "correct horse", IPAddress.Loopback));
    }

    [Fact]
    public async Task FirstStart_WithOtherAccountsOnly_MakesNone()
    {
        await using var parts = await AccessParts.CreateAsync();
        await parts.CreateAccountAsync("jane", "correct horse");

        Assert.False(await parts.Get<AdminBootstrap>().RunAsync(TextWriter.Null));
    }

    [Fact]
    public async Task FirstStart_OfFourNodesAtOnce_PrintsOnePassword()
    {
        await using var parts = await AccessParts.CreateAsync();
        var nodes = Enumerable.Range(0, 4).Select(_ => (Node: parts.AnotherNode(), Console: new StringWriter())).ToList();

        await Task.WhenAll(nodes.Select(node => Task.Run(() => node.Node.Get<AccessStartup>().RunAsync(node.Console))));

        Assert.Single(PrintedPassword().Matches(string.Concat(nodes.Select(node => node.Console))));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM signing_keys"));
    }

    [Fact]
    public async Task ConsoleThatCannotBeWrittenTo_LeavesNoAccountWithAnUnknownPassword()
    {
        await using var parts = await AccessParts.CreateAsync();
        await using var closed = new StreamWriter(Stream.Null);
        await closed.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => parts.Get<AdminBootstrap>().RunAsync(closed));

        Assert.False(await parts.Get<Accounts>().AnyAsync());
    }

    [GeneratedRegex(@"password: (?<password>\S+)")]
    private static partial Regex PrintedPassword();
}
