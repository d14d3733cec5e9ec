using Gantry.Oci;

namespace Gantry.Engine.Content;

/// <summary>Where what lies below the root of a store. Every name is made of a checked value, so none leads out of its folder.</summary>
internal sealed class StoreLayout(string root)
{
    public string Root => root;

    public string Blobs => Path.Combine(root, "blobs");

    public string Ingest => Path.Combine(root, "ingest");

    public string Layers => Path.Combine(root, "layers");

    public string Chains => Path.Combine(root, "chains");

    public string Staging => Path.Combine(root, "staging");

    public string Pending => Path.Combine(root, "pending");

    public string Images => Path.Combine(root, "images");

    public string Leases => Path.Combine(root, "leases");

    public string Pins => Path.Combine(root, "pins");

    /// <summary>Shared while somebody says what is in use, exclusive while somebody removes what is not.</summary>
    public string LockFile => Path.Combine(root, "lock");

    public string Blob(Digest digest) => Path.Combine(Blobs, digest.Algorithm.Name(), digest.Hex);

    /// <summary>One name for a digest: <c>sha256-HEX</c>.</summary>
    public static string NameOf(Digest digest) => $"{digest.Algorithm.Name()}-{digest.Hex}";

    /// <summary>The reverse; null for a name that is none of ours.</summary>
    public static Digest? DigestOf(string name) =>
        name.IndexOf('-', StringComparison.Ordinal) is var dash and > 0 && Digest.TryParse($"{name[..dash]}:{name[(dash + 1)..]}", out var digest) ? digest : null;

    /// <summary>Makes the folders, for their owner alone: layers hold set-uid programs, and staging holds what nobody has checked yet.</summary>
    public void Create()
    {
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(root, ownerOnly);
        foreach (var folder in (string[])[Path.Combine(Blobs, "sha256"), Path.Combine(Blobs, "sha512"), Ingest, Layers, Chains, Staging, Pending, Images, Leases, Pins])
            Directory.CreateDirectory(folder, ownerOnly);
    }
}
