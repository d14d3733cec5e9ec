using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Oci;

namespace Gantry.Engine.Credentials;

/// <summary>
/// One file of docker's form: <c>auths</c>, <c>credHelpers</c>, <c>credsStore</c>, and whatever else stands in it, which stays. No message
/// shows anything of its content but the names of hosts.
/// </summary>
/// <param name="path">Followed where it is a link, so that the link stays one.</param>
/// <param name="isDockers">docker's own file: its registry has its old name there.</param>
internal sealed class CredentialFile(string path, bool isDockers)
{
    private const int MaxBytes = 4 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path => path;

    /// <summary>Null where there is no such file, or nothing in it.</summary>
    public JsonObject? Read()
    {
        try
        {
            if (!File.Exists(path)) return null;
            if (new FileInfo(path).Length > MaxBytes) throw Wrong($"is larger than {MaxBytes} bytes");
            var bytes = File.ReadAllBytes(path);
            if (bytes.AsSpan().Trim(" \t\r\n"u8).IsEmpty) return null;
            return JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 }) as JsonObject
                ?? throw Wrong("does not hold a JSON object");
        }
        catch (JsonException broken)
        {
            // Without the exception: its text may show a piece of the line, and on the line stands a password.
            throw Wrong($"is not JSON, at line {broken.LineNumber + 1}");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineFault.Local, $"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>The helper that keeps this host's credential, by the end of its program's name; null: the file itself does.</summary>
    public static string? HelperOf(JsonObject content, string host)
    {
        if (content["credHelpers"] is JsonObject helpers)
        {
            foreach (var (key, helper) in helpers)
            {
                if (CredentialKeys.Normal(key) == host && Text(helper) is { Length: > 0 } name) return name;
            }
        }

        return Text(content["credsStore"]) is { Length: > 0 } store ? store : null;
    }

    /// <summary>What <c>auths</c> has for the narrowest key that fits; null where that is nothing or a placeholder.</summary>
    public Credential? Find(JsonObject content, string host, RepositoryName? repository)
    {
        if (content["auths"] is not JsonObject auths) return null;
        var entries = auths.ToLookup(entry => CredentialKeys.Normal(entry.Key), entry => entry.Value, StringComparer.Ordinal);
        return CredentialKeys.For(host, repository).SelectMany(key => entries[key]).Select(entry => ToCredential(entry as JsonObject, host)).FirstOrDefault(found => found is not null);
    }

    /// <summary>Puts an entry for the host in; null: an empty one, which says that a helper has it.</summary>
    public void Put(JsonObject content, string host, Credential? credential)
    {
        Remove(content, host);
        if (content["auths"] is not JsonObject auths) content["auths"] = auths = [];
        var entry = new JsonObject();
        if (credential?.Basic is { } basic) entry["auth"] = basic;
        else if (credential?.IdentityToken is { } identity) (entry["auth"], entry["identitytoken"]) = (Convert.ToBase64String(Encoding.UTF8.GetBytes(credential.UserName + ":")), identity);
        else if (credential?.RegistryToken is { } token) entry["registrytoken"] = token;
        auths[isDockers ? CredentialKeys.DockerName(host) : host] = entry;
    }

    /// <summary>Whether there was one, under whatever name, for the whole host.</summary>
    public static bool Remove(JsonObject content, string host)
    {
        if (content["auths"] is not JsonObject auths) return false;
        var keys = auths.Select(entry => entry.Key).Where(key => CredentialKeys.Normal(key) == host).ToList();
        foreach (var key in keys) auths.Remove(key);
        return keys.Count > 0;
    }

    /// <summary>Replaces the file in one step; only its owner can read it, in a folder that only its owner can enter if it has to be made.</summary>
    public void Write(JsonObject content)
    {
        var link = new FileInfo(path);
        var target = link.LinkTarget is null ? link.FullName : link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? link.FullName;
        var folder = System.IO.Path.GetDirectoryName(target)!;
        var staged = System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(target)}.{System.IO.Path.GetRandomFileName()}");
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            using (var file = new FileStream(staged, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                using (var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true, IndentCharacter = '\t', IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                    content.WriteTo(writer);
                file.Flush(flushToDisk: true);
            }

            File.Move(staged, target, overwrite: true);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            File.Delete(staged);
            throw new EngineException(EngineFault.Local, $"{path} cannot be written: {failed.Message}", failed);
        }
    }

    private Credential? ToCredential(JsonObject? entry, string host)
    {
        if (entry is null) return null;
        var (userName, password) = (Text(entry["username"]) ?? "", Text(entry["password"]));
        if (Text(entry["auth"]) is { Length: > 0 } auth)
        {
            var bytes = new byte[auth.Length];
            if (!Convert.TryFromBase64String(auth, bytes, out var length)) throw Wrong($"has an entry for {host} whose auth is not base64");
            var text = Encoding.UTF8.GetString(bytes, 0, length);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) throw Wrong($"has an entry for {host} whose auth is no name and password");
            (userName, password) = (text[..colon], text[(colon + 1)..].Trim('\0'));
        }

        if (Text(entry["identitytoken"]) is { Length: > 0 } identity) return Credential.OfIdentityToken(identity, userName);
        if (Text(entry["registrytoken"]) is { Length: > 0 } token) return Credential.OfRegistryToken(token);
        return userName.Length > 0 && password is not null ? Credential.OfPassword(userName, password) : null;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private EngineException Wrong(string what) => new(EngineFault.Usage, $"{path} {what}");
}
