using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// All that one token request asks for: scopes may be repeated, joined by spaces, and name a repository twice, which
/// adds up. Order is the client's.
/// </summary>
public sealed class ScopeRequest
{
    /// <summary>Far more than any client asks for, and little enough to be read at once.</summary>
    public const int MaxScopes = 256;
    public const int MaxCharacters = 32 * 1024;

    private readonly Dictionary<RepositoryName, RepositoryActions> _repositories = [];

    /// <summary>In the order in which they were first named.</summary>
    public IEnumerable<KeyValuePair<RepositoryName, RepositoryActions>> Repositories => _repositories;

    public bool Catalog { get; private set; }

    /// <summary>Reads the <c>scope</c> parameters; null when there are more than the limits above allow.</summary>
    public static ScopeRequest? Parse(IEnumerable<string?> parameters)
    {
        var request = new ScopeRequest();
        var (scopes, characters) = (0, 0);
        foreach (var parameter in parameters)
        {
            if (parameter is null) continue;
            characters += parameter.Length;
            if (characters > MaxCharacters) return null;

            var text = parameter.AsSpan();
            foreach (var range in text.Split(' '))
            {
                if (text[range].IsEmpty) continue;
                if (++scopes > MaxScopes) return null;
                if (Scope.TryParse(text[range], out var scope)) request.Add(scope);
            }
        }

        return request;
    }

    private void Add(Scope scope)
    {
        if (scope.Repository is not { } repository)
        {
            Catalog = true;
            return;
        }

        _repositories[repository] = _repositories.GetValueOrDefault(repository) | scope.Actions;
    }
}
