using System.Text;
using Gantry.Oci;

namespace Gantry.Engine.Credentials;

/// <summary>
/// What one registry knows somebody by: a name with a password, an identity token (a refresh token of its token service), or a bearer
/// token to be sent as it is. Never shown: <see cref="ToString"/> has no secret.
/// </summary>
public sealed class Credential
{
    private Credential(string userName, string? password, string? identityToken, string? registryToken) =>
        (UserName, Password, IdentityToken, RegistryToken) = (userName, password, identityToken, registryToken);

    /// <summary>Empty where only a token is known.</summary>
    public string UserName { get; }

    public string? Password { get; }

    /// <summary>Exchanged at the token service by <c>grant_type=refresh_token</c>.</summary>
    public string? IdentityToken { get; }

    /// <summary>Sent as <c>Bearer</c> to the registry itself.</summary>
    public string? RegistryToken { get; }

    /// <summary>Everything of it that must not be shown, in each form in which it travels.</summary>
    internal IEnumerable<string> Secrets => new[] { Password, Basic, IdentityToken, RegistryToken }.OfType<string>().Where(text => text.Length > 0);

    /// <summary>The parameter of a <c>Basic</c> header; null where there is no password.</summary>
    internal string? Basic => Password is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes($"{UserName}:{Password}"));

    /// <exception cref="EngineException"><see cref="EngineFault.Usage"/>: a colon in the name, a control character in either.</exception>
    public static Credential OfPassword(string userName, string password) =>
        userName.Contains(':', StringComparison.Ordinal) || userName.Any(char.IsControl) || password.Any(c => c is '\0' or '\r' or '\n')
            ? throw new EngineException(EngineFault.Usage, "a user name has no colon and no control character, a password no line break")
            : new Credential(userName, password, null, null);

    public static Credential OfIdentityToken(string token, string userName = "") => new(userName, null, token, null);

    public static Credential OfRegistryToken(string token) => new("", null, null, token);

    public override string ToString() => $"{nameof(Credential)} of '{UserName}'";
}

/// <summary>Knows who we are at a registry.</summary>
public interface ICredentialSource
{
    /// <summary>Null: nobody there.</summary>
    /// <param name="host">As in <see cref="Remote.ImageName.Host"/>: <c>docker.io</c> for Docker's registry.</param>
    /// <param name="repository">Some sources know another credential for a part of a registry; null asks for the whole.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="EngineException">A file or a helper that is there cannot be read.</exception>
    ValueTask<Credential?> FindAsync(string host, RepositoryName? repository, CancellationToken cancellationToken);
}
