using System.Globalization;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.Server.Auth;
using Gantry.Server.Limits;

namespace Gantry.Server.Api;

/// <summary>A request under <c>/api</c> whose caller may make it: what every endpoint gets.</summary>
/// <param name="http">The request.</param>
/// <param name="login">Null: nobody in particular; only open routes are asked by such.</param>
/// <param name="caller">What the login may do in repositories.</param>
internal sealed partial class ApiRequest(HttpContext http, LoggedIn? login, Caller caller)
{
    public const string Root = "/api/v1";

    internal const string DigestFault = "is sha256: or sha512: and its lowercase hex", DateForm = "a date like 2026-01-31";

    /// <summary>The largest page of a listing, and the usual one.</summary>
    public const int MaxPage = 1000, UsualPage = 100;

    public HttpContext Http => http;

    /// <summary>Null: nobody in particular.</summary>
    public LoggedIn? LoginOrNone => login;

    public LoggedIn Login => login ?? throw new InvalidOperationException("an open route asks for an account");

    /// <summary>Who asks.</summary>
    public Account Account => Login.Account;

    public Caller Caller => caller;

    public Actor Actor => RequestAccess.ActorOf(http, login?.Account.Name.ToString());

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The path's namespace; it exists, and the caller may see it.</summary>
    public NamespaceInfo Namespace { get; set; } = null!;

    public NamespaceName NamespaceName => NamespaceName.Parse(Namespace.Name);

    /// <summary>The path's account; it exists.</summary>
    public AccountRow Subject { get; set; } = null!;

    public AccountName SubjectName => AccountName.Parse(Subject.Name);

    /// <summary>The path's webhook; it exists, and the caller keeps it.</summary>
    public Webhook Webhook { get; set; } = null!;

    /// <summary>The path's repository, which the caller may pull from; it need not exist.</summary>
    public RepositoryName Repository { get; set; }

    /// <summary>What the query names beside it, or the same; the caller may pull from it.</summary>
    public RepositoryName OtherRepository { get; set; }

    public T Service<T>()
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    /// <summary>A part of the path.</summary>
    public string Route(string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>The number in the path; 0, which nothing has, where it is none.</summary>
    public long RouteId => RouteNumber("id");

    /// <inheritdoc cref="RouteId"/>
    public long RouteNumber(string name) => TryParseId(Route(name), out var number) ? number : 0;

    /// <summary>The path's tag.</summary>
    public TagName Tag => TagName.TryParse(Route("tag"), out var tag)
        ? tag : throw ApiException.BadRequest("tag", "is a letter, digit or underscore, then up to 127 of these, dots and dashes");

    /// <summary>The path's digest.</summary>
    public Digest Digest => Digest.TryParse(Route("digest"), out var digest) ? digest : throw ApiException.BadRequest("digest", DigestFault);

    /// <summary>The path's tag or digest.</summary>
    public Reference Reference => Reference.TryParse(Route("reference"), out var reference)
        ? reference : throw ApiException.BadRequest("reference", "is neither a tag nor a digest");

    /// <summary>One text, whether it is not there or not to be seen.</summary>
    public ApiException NoRepository(string? name = null) =>
        ApiException.NotFound($"there is no repository {name ?? $"{Repository}"}, or none that {Who} may pull from");

    public ApiException NoManifest() => ApiException.NotFound($"{Repository} has no manifest {Route(http.Request.RouteValues.ContainsKey("digest") ? "digest" : "reference")}");

    public ApiException NoTag() => ApiException.NotFound($"{Repository} has no tag {Route("tag")}");

    /// <summary>Whether this is the caller's password; guesses count like those of any other login.</summary>
    public async Task<bool> IsOwnPasswordAsync(string password) =>
        await Service<Logins>().TryLoginAsync(Account.Name.ToString(), password, RequestAccess.ClientAddress(http), Actor, Aborted)
            is { Method: LoginMethod.Password };

    public Task<BodyFields> BodyAsync() => BodyFields.ReadAsync(http);

    /// <summary>A query parameter; null where it is missing or empty. Control characters are in no name of anything here.</summary>
    public string? Query(string name)
    {
        var text = http.Request.Query[name].FirstOrDefault();
        if (string.IsNullOrEmpty(text)) return null;
        return text.Any(char.IsControl) ? throw ApiException.BadRequest(name, "holds a control character") : text;
    }

    /// <summary>A query parameter with a type of its own; null where it is missing or empty.</summary>
    public T? Query<T>(string name, Parser<T> parser, string fault)
        where T : struct =>
        Query(name) is not { } text ? null
        : parser(text, out var value) ? value
        : throw ApiException.BadRequest(name, fault);

    public long? QueryId(string name) => Query<long>(name, TryParseId, "is a whole number");

    /// <summary>A value of an enumeration, by its name in whatever case; null where it is missing or empty.</summary>
    public T? QueryWord<T>(string name)
        where T : struct, Enum
    {
        if (Query(name) is not { } text) return null;
        foreach (var value in Enum.GetValues<T>())
        {
            if (string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw ApiException.BadRequest(name, $"is one of {string.Join(", ", Enum.GetNames<T>().Select(word => word.ToLowerInvariant()))}");
    }

    public bool QueryFlag(string name) => Query<bool>(name, bool.TryParse, "is true or false") ?? false;

    public DateTimeOffset? QueryTime(string name) => Query<DateTimeOffset>(name, BodyFields.TryParseTime, $"is {BodyFields.TimeForm}");

    public UtcDay? QueryDay(string name) => Query<UtcDay>(name, UtcDay.TryParse, $"is {DateForm}");

    public int Limit() => Query<int>("limit", TryParseLimit, $"is a whole number from 1 to {MaxPage}") ?? UsualPage;

    /// <summary>Who waits for whom where a route is dear.</summary>
    public string CallerName => CallerTurns.CallerOf(http, login?.Account.Name.ToString());

    private string Who => login?.Account.Name.ToString() ?? "somebody without an account";

    private static bool TryParseId(string text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static bool TryParseLimit(string text, out int limit) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is > 0 and <= MaxPage;
}
