using System.Text.Json;
using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>What a bearer token says: for whom, what, until when.</summary>
/// <param name="Account">Null: an anonymous token.</param>
/// <param name="Expires">The token's <c>exp</c>.</param>
/// <param name="Revision">All changes of access up to this one were known when it was decided upon.</param>
/// <param name="AccessTokenId">The access token it was given for, which ends it too.</param>
/// <param name="TrustId">The same for a keyless login.</param>
public sealed record TokenGrants(
    AccountName? Account,
    long? AccountId,
    IReadOnlyDictionary<RepositoryName, RepositoryActions> Repositories,
    bool Catalog,
    DateTimeOffset Expires,
    long Revision = 0,
    long? AccessTokenId = null,
    long? TrustId = null)
{
    // With the rest of the token, in base64url, this stays below BearerTokens.MaxLength; what does not fit is granted
    // by another token, for which the client is asked with insufficient_scope.
    private const int MaxAccessCharacters = 8 * 1024;

    private const string RevisionClaim = "rev", AccountIdClaim = "uid", AccessTokenClaim = "pat", TrustClaim = "tru";

    /// <summary>
    /// What of a request a caller may (the intersection: less than was asked is no error), as the <c>access</c> claim of
    /// Docker's token specification: <c>[{"type":"repository","name":"a/b","actions":["pull"]}]</c>.
    /// </summary>
    internal static async Task<(Dictionary<string, object> Claims, IReadOnlyList<Scope> Granted)> ClaimsAsync(
        Caller caller, LoggedIn? login, ScopeRequest request, long revision, CancellationToken cancellationToken)
    {
        var (access, scopes) = (new List<Dictionary<string, object>>(), new List<Scope>());
        var characters = 0;
        if (request.Catalog && caller.MayListCatalog) Add(Scope.Catalog, "registry", "catalog", ["*"]);
        foreach (var (repository, wanted) in request.Repositories)
        {
            var granted = wanted & (await caller.DecideAsync(repository, cancellationToken)).Granted;
            if (granted != RepositoryActions.None)
                Add(new Scope(repository, granted), "repository", repository.ToString(), [.. Scope.Words(granted)]);
        }

        var claims = new Dictionary<string, object> { ["access"] = access, [RevisionClaim] = revision };
        if (login is not null) claims[AccountIdClaim] = login.Account.Id;
        if (login?.AccessTokenId is { } token) claims[AccessTokenClaim] = token;
        if (login?.TrustId is { } trust) claims[TrustClaim] = trust;
        return (claims, scopes);

        void Add(Scope scope, string type, string name, string[] actions)
        {
            characters += name.Length + 80;
            if (characters > MaxAccessCharacters) return;
            scopes.Add(scope);
            access.Add(new() { ["type"] = type, ["name"] = name, ["actions"] = actions });
        }
    }

    /// <summary>Reads the claims of a token that this registry signed; null when they are not a bearer token's.</summary>
    internal static TokenGrants? FromClaims(JsonElement claims)
    {
        if (!claims.TryGetProperty("sub", out var sub) || !claims.TryGetProperty("access", out var access)
            || access.ValueKind != JsonValueKind.Array || Number(RevisionClaim) is not { } revision) return null;

        AccountName? account = AccountName.TryParse(sub.GetString(), out var parsed) ? parsed : null;
        var accountId = Number(AccountIdClaim);
        if (account is null ? sub.GetString() is not "" || accountId is not null : accountId is null) return null;

        var repositories = new Dictionary<RepositoryName, RepositoryActions>();
        var catalog = false;
        foreach (var entry in access.EnumerateArray())
        {
            var type = entry.GetProperty("type").GetString();
            var name = entry.GetProperty("name").GetString();
            var words = string.Join(',', entry.GetProperty("actions").EnumerateArray().Select(word => word.GetString()));
            if (type == "registry" && name == "catalog") catalog = true;
            else if (type == "repository" && RepositoryName.TryParse(name, out var repository))
                repositories[repository] = repositories.GetValueOrDefault(repository) | Scope.ParseActions(words);
        }

        var expires = DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64());
        return new TokenGrants(
            account, accountId, repositories, catalog, expires, revision, Number(AccessTokenClaim), Number(TrustClaim));

        long? Number(string claim) =>
            claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;
    }

    /// <summary>What the token says; one object a repository for its life, so that a request allocates none.</summary>
    internal Decision DecisionOn(RepositoryName repository) => _decisions.GetValueOrDefault(repository, Nothing);

    internal const string OwnScopes = "the token's own scopes";

    private static readonly Decision Nothing = new(RepositoryActions.None, OwnScopes);

    private readonly Dictionary<RepositoryName, Decision> _decisions =
        Repositories.ToDictionary(entry => entry.Key, entry => new Decision(entry.Value, OwnScopes));
}
