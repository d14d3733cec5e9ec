using Gantry.Core.Access;
using Gantry.Core.Data;

namespace Gantry.Server.Api;

internal sealed record AccountReply(
    string Name, AccountKind Kind, bool Disabled, bool IsAdministrator, bool CreatesNamespaces, string? DisplayName, string? Email,
    DateTimeOffset CreatedAt)
{
    public static AccountReply Of(AccountRow row) => new(
        row.Name, row.NamespaceId is null ? AccountKind.Person : AccountKind.Robot, row.DisabledAt is not null, row.IsAdministrator,
        row.CreatesNamespaces, row.DisplayName, row.Email, row.CreatedAt);
}

/// <param name="Password">8 to 1024 characters; missing: the account has none, and logs in through a provider.</param>
/// <param name="CreatesNamespaces">Whether it may make namespaces, here or by its first push to one.</param>
internal sealed record NewAccount(
    string Name, string? Password, bool? IsAdministrator, bool? CreatesNamespaces, string? DisplayName, string? Email);

/// <summary>What is missing stays as it is.</summary>
/// <param name="Disabled">True: every login of it ends at once.</param>
internal sealed record AccountChange(
    bool? Disabled, bool? IsAdministrator, bool? CreatesNamespaces, string? DisplayName, string? Email);

/// <param name="Password">8 to 1024 characters; missing: one is made up and answered, once.</param>
/// <param name="Current">The account's password until now; needed of whoever changes their own.</param>
internal sealed record NewPassword(string? Password, string? Current);

internal sealed record GeneratedPassword(string Password);

internal static class AccountEndpoints
{
    private const int LongestName = 200, LongestEmail = 320;

    [EndpointSummary("All accounts, people and robots, by name")]
    public static async Task<IResult> ListAccountsAsync(ApiRequest request)
    {
        var (limit, after) = (request.Limit(), request.Query("after"));
        var rows = await request.Service<Accounts>().PageAsync(after, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, AccountReply.Of, row => row.Name));
    }

    [EndpointSummary("Makes a person's account")]
    public static async Task<IResult> CreateAccountAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var name = body.Parse<AccountName>("name", TryParseFree,
            "must be 1 to 128 of a-z, 0-9, '.', '_' and '-', begin with a letter or digit, and be neither self, oidc nor robot.…");
        var password = ReadPassword(body);
        var settings = ReadSettings(body);
        body.End();

        var accounts = request.Service<Accounts>();
        if (!await accounts.CreateAsync(name, password, settings, request.Actor, request.Aborted))
            throw ApiException.Conflict($"the name {name} is taken");
        return request.Created($"/accounts/{name}", AccountReply.Of((await accounts.FindRowAsync(name, request.Aborted))!));
    }

    [EndpointSummary("One account")]
    public static Task<IResult> GetAccountAsync(ApiRequest request) => Task.FromResult(request.One(AccountReply.Of(request.Subject)));

    [EndpointSummary("Changes an account, or disables it; the last administrator stays one")]
    public static async Task<IResult> ChangeAccountAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var settings = ReadSettings(body) with { Disabled = body.Flag("disabled") };
        body.End();
        if (settings == new AccountSettings()) throw new ApiException(400, "the body changes nothing");

        var accounts = request.Service<Accounts>();
        var isChanged = await accounts.ChangeAsync(
            request.SubjectName, settings, row => request.RequireMatch(AccountReply.Of(row)), request.Actor, request.Aborted);
        return isChanged && await accounts.FindRowAsync(request.SubjectName, request.Aborted) is { } row
            ? request.Changed(AccountReply.Of(row))
            : throw ApiException.NotFound($"the account {request.Subject.Name} is gone");
    }

    [EndpointSummary("Deletes an account, with its roles and access tokens; never one's own, never the last administrator")]
    public static async Task<IResult> DeleteAccountAsync(ApiRequest request) =>
        await request.Service<Accounts>().DeleteAsync(
            request.SubjectName, row => request.RequireMatch(AccountReply.Of(row)), request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"the account {request.Subject.Name} is gone");

    [EndpointSummary("Gives a person another password; all of its logins with the old one end")]
    public static async Task<IResult> SetPasswordAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var password = ReadPassword(body);
        var current = body.Text("current", PasswordRules.MaxLength);
        var isOwn = request.Subject.Id == request.Account.Id;
        if (isOwn && current is null) body.Fault("current", "is needed of whoever changes their own password");
        body.End();
        if (isOwn && !await request.IsOwnPasswordAsync(current!)) throw ApiException.Forbidden("the current password is wrong");

        var made = await request.Service<Accounts>().ResetPasswordAsync(request.SubjectName, password, request.Actor, request.Aborted)
            ?? throw ApiException.Conflict($"{request.Subject.Name} is a robot, and robots have no passwords: they log in with access tokens");
        return password is null ? request.Ok(new GeneratedPassword(made)) : ApiRequest.NoContent();
    }

    private static string? ReadPassword(BodyFields body)
    {
        var password = body.Text("password", PasswordRules.MaxLength);
        if (password is not null && PasswordRules.FaultOf(password) is { } fault) body.Fault("password", fault);
        return password;
    }

    private static AccountSettings ReadSettings(BodyFields body) => new()
    {
        IsAdministrator = body.Flag("isAdministrator"),
        CreatesNamespaces = body.Flag("createsNamespaces"),
        DisplayName = body.Text("displayName", LongestName),
        Email = body.Text("email", LongestEmail),
    };

    private static bool TryParseFree(string text, out AccountName name) => AccountName.TryParse(text, out name) && !name.IsReserved;
}
