using System.Runtime.InteropServices;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Credentials;

/// <summary>
/// The credentials that docker and podman keep, read where both look for them and written where docker, or the one who set
/// <c>REGISTRY_AUTH_FILE</c>, expects them. Files are read anew at each question: another process may log in meanwhile.
/// </summary>
/// <remarks>
/// In order: <c>$REGISTRY_AUTH_FILE</c> (then nothing else); docker's <c>config.json</c> in <c>$DOCKER_CONFIG</c> or <c>~/.docker</c>;
/// podman's <c>auth.json</c> in <c>$XDG_RUNTIME_DIR/containers</c> or <c>/run/containers/UID</c>, then in <c>$XDG_CONFIG_HOME/containers</c>
/// or <c>~/.config/containers</c>. The first that knows the place is asked no further. Within one, a helper comes before what is written.
/// </remarks>
public sealed partial class CredentialFiles : ICredentialSource
{
    private readonly IReadOnlyList<CredentialFile> _files;
    private readonly string? _searchPath;
    private readonly TimeProvider _time;

    private CredentialFiles(IReadOnlyList<CredentialFile> files, string? searchPath, TimeProvider time) => (_files, _searchPath, _time) = (files, searchPath, time);

    /// <param name="environment">Variables by name: <see cref="Environment.GetEnvironmentVariable(string)"/>.</param>
    /// <param name="authFile">Instead of all others, as <c>$REGISTRY_AUTH_FILE</c> is; null: none was given.</param>
    public static CredentialFiles FromEnvironment(Func<string, string?> environment, string? authFile = null, TimeProvider? time = null)
    {
        string? Get(string name) => environment(name) is { Length: > 0 } value ? value : null;

        var files = new List<CredentialFile>();
        if ((authFile ?? Get("REGISTRY_AUTH_FILE")) is { } only)
        {
            files.Add(new CredentialFile(only, isDockers: Path.GetFileName(only) == "config.json"));
        }
        else
        {
            var home = Get("HOME");
            if ((Get("DOCKER_CONFIG") ?? Below(home, ".docker")) is { } docker) files.Add(new CredentialFile(Path.Combine(docker, "config.json"), isDockers: true));
            files.Add(new CredentialFile(Path.Combine(Below(Get("XDG_RUNTIME_DIR"), "containers") ?? $"/run/containers/{UserId()}", "auth.json"), isDockers: false));
            if (Below(Get("XDG_CONFIG_HOME") ?? Below(home, ".config"), "containers") is { } config) files.Add(new CredentialFile(Path.Combine(config, "auth.json"), isDockers: false));
        }

        return new CredentialFiles(files, Get("PATH"), time ?? TimeProvider.System);
    }

    public async ValueTask<Credential?> FindAsync(string host, RepositoryName? repository, CancellationToken cancellationToken)
    {
        foreach (var file in _files)
        {
            if (file.Read() is not { } content) continue;
            var helper = CredentialFile.HelperOf(content, host);
            var kept = helper is null ? null : await Helper(helper).GetAsync(CredentialKeys.DockerName(host), cancellationToken);
            if ((kept ?? file.Find(content, host, repository)) is { } found) return found;
        }

        return null;
    }

    /// <summary>Keeps a credential once the registry has accepted it: by the helper that the first file names, else in that file.</summary>
    /// <returns>Where it is now, for people: a path, or the helper's name.</returns>
    /// <exception cref="EngineException"><see cref="EngineFault.Denied"/>, and nothing changed.</exception>
    public async Task<string> LoginAsync(RemoteRegistries registries, string host, Credential credential, CancellationToken cancellationToken = default)
    {
        await registries.VerifyAsync(host, credential, cancellationToken);
        return await StoreAsync(host, credential, cancellationToken);
    }

    /// <summary>Forgets the host's credential wherever it is kept; parts of a registry that have one of their own keep it.</summary>
    /// <returns>Where there was one; empty: nowhere.</returns>
    public async Task<IReadOnlyList<string>> LogoutAsync(string host, CancellationToken cancellationToken = default)
    {
        var places = new List<string>();
        foreach (var file in _files)
        {
            if (file.Read() is not { } content) continue;
            if (CredentialFile.HelperOf(content, host) is { } helper && await Helper(helper).EraseAsync(CredentialKeys.DockerName(host), cancellationToken))
                places.Add($"docker-credential-{helper}");
            if (!CredentialFile.Remove(content, host)) continue;
            file.Write(content);
            places.Add(file.Path);
        }

        return places;
    }

    internal async Task<string> StoreAsync(string host, Credential credential, CancellationToken cancellationToken)
    {
        if (_files.Count == 0) throw new EngineException(EngineFault.Usage, "neither HOME nor DOCKER_CONFIG says where logins are kept");
        var file = _files[0];
        var content = file.Read() ?? [];
        var helper = CredentialFile.HelperOf(content, host);
        if (helper is not null) await Helper(helper).StoreAsync(CredentialKeys.DockerName(host), credential, cancellationToken);
        file.Put(content, host, helper is null ? credential : null);
        file.Write(content);
        return helper is null ? file.Path : $"docker-credential-{helper}";
    }

    private CredentialHelper Helper(string name) => new(name, _searchPath, _time);

    private static string? Below(string? folder, string name) => folder is null ? null : Path.Combine(folder, name);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
