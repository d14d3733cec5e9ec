using System.Text.Json;
using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>What a bearer token says: for whom, what, until when.</summary>
/// <param name="Account">Null: an anonymous token.</param>
/// <param name="Expires">The token's <c>exp</c>.</param>
public sealed record TokenGrants(
    AccountName? Account,
    IReadOnlyDictionary<RepositoryName, RepositoryActions> Repositories,
    bool Catalog,
    DateTimeOffset Expires)
{
    // With the rest of the token, in base64url, this stays below BearerTokens.MaxLength; what does not fit is granted
    // by another token, for which the client is asked with insufficient_scope.
    private const int MaxAccessCharacters = 8 * 1024;

    /// <summary>
    /// What of a request the policy gives (the intersection: less than was asked is no error), as the <c>access</c>
    /// claim of Docker's token specification: <c>[{"type":"repository","name":"a/b","actions":["pull"]}]</c>.
    /// </summary>
    internal static List<Dictionary<string, object>> AccessClaim(
        AccessPolicy policy, Account? account, ScopeRequest request)
    {
        var access = new List<Dictionary<string, object>>();
        var characters = 0;
        if (request.Catalog && policy.MayListCatalog(account)) Add("registry", "catalog", ["*"]);
        foreach (var (repository, wanted) in request.Repositories)
        {
            var granted = wanted & policy.Decide(account, repository).Granted;
            if (granted != RepositoryActions.None)
                Add("repository", repository.ToString(), [.. Scope.Words(granted)]);
        }

        return access;

        void Add(string type, string name, string[] actions)
        {
            characters += name.Length + 80;
            if (characters <= MaxAccessCharacters)
                access.Add(new() { ["type"] = type, ["name"] = name, ["actions"] = actions });
        }
    }

    /// <summary>Reads an <c>access</c> claim that this registry signed; null when it is not one.</summary>
    internal static TokenGrants? FromClaims(AccountName? account, JsonElement access, DateTimeOffset expires)
    {
        if (access.ValueKind != JsonValueKind.Array) return null;
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

        return new TokenGrants(account, repositories, catalog, expires);
    }
}
