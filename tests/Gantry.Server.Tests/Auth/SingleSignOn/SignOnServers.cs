using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Server.Auth;
using Gantry.TestKit;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Server.Tests.Auth;

/// <summary>
/// A registry and two real providers, shared by tests that each have people of their own. <c>one</c> signs with RSA,
/// names groups in the ID token and knows the registry by a secret; <c>two</c> signs with ECDSA, shows groups in the
/// profile only, and the registry is a public client there.
/// </summary>
public sealed class SignOnServers : IAsyncLifetime
{
    internal OidcProvider One { get; private set; } = null!;

    internal OidcProvider Two { get; private set; } = null!;

    internal RegistryServer Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        One = await OidcProvider.StartAsync("one", "RS256", groupsInIdToken: true);
        Two = await OidcProvider.StartAsync("two", "ES256", groupsInIdToken: false, clientAuthentication: "none");
        Registry = await RegistryServer.StartAsync(
        [
            .. One.Settings("one"), .. Two.Settings("two", isPublic: true), "SingleSignOn:Providers:two:DisplayName=The other",
            "Access:Anonymous=None",
        ]);
    }

    internal Browser NewBrowser() => new(Registry.Address);

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await One.DisposeAsync();
        await Two.DisposeAsync();
    }
}

/// <summary>What the tests ask a registry beside its own requests.</summary>
internal static class RegistryQuestions
{
    public static async Task ExecuteAsync(this RegistryServer registry, string sql)
    {
        await using var database = NpgsqlDataSource.Create(registry.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of all rows, as texts.</summary>
    public static async Task<List<string>> TextsAsync(this RegistryServer registry, string sql)
    {
        await using var database = NpgsqlDataSource.Create(registry.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync()) texts.Add($"{reader.GetValue(0)}");
        return texts;
    }

    /// <summary>The sign-on in a browser's cookie changed, and sealed again, as no browser could.</summary>
    public static void Reseal(this RegistryServer registry, Browser browser, Func<SignOnAttempt, SignOnAttempt> change)
    {
        var protector = registry.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("Gantry.SignOn.v1");
        var cookie = browser.Cookie("gantry_sso")!;
        var attempt = JsonSerializer.Deserialize(
            protector.Unprotect(WebEncoders.Base64UrlDecode(cookie.Value)), AuthJson.Default.SignOnAttempt)!;
        cookie.Value = WebEncoders.Base64UrlEncode(
            protector.Protect(JsonSerializer.SerializeToUtf8Bytes(change(attempt), AuthJson.Default.SignOnAttempt)));
    }
}
