using System.CommandLine;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Removal;
using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Admin;

internal static class RestoreCommands
{
    public static Command Create(AdminVerbs verbs) => new("restore", "Bring back what was deleted, within its grace (Gc:Grace).")
    {
        List(verbs), Manifest(verbs), Tag(verbs), Blob(verbs),
    };

    private static Command List(AdminVerbs verbs)
    {
        var repository = AdminArguments.Repository();
        return verbs.Verb("list", "List what can be restored in a repository.", async (result, services, stop) =>
        {
            var name = result.GetValue(repository);
            if (await services.GetRequiredService<RestorableContent>().ListAsync(name, stop) is not { } rows) return Verbs.Fail($"there is no repository {name}");
            await foreach (var row in rows)
                AdminVerbs.Print($"{row.Kind,-9} {row.Name}{(row.From is null ? "" : $" -> {row.From}")}  deleted {row.DeletedAt:u}, until {row.Until:u}");
            return Verbs.Ok;
        }, repository);
    }

    private static Command Manifest(AdminVerbs verbs)
    {
        var (repository, digest) = (AdminArguments.Repository(), AdminArguments.Digest());
        return verbs.Verb("manifest", "Restore a manifest with all it needs, and the tags that went with it.", async (result, services, stop) =>
            Print(services, $"manifest {result.GetValue(digest)}", await services.GetRequiredService<ContentRestore>().RestoreManifestAsync(
                result.GetValue(repository), result.GetValue(digest), Actor.Console, stop)), repository, digest);
    }

    private static Command Tag(AdminVerbs verbs)
    {
        var repository = AdminArguments.Repository();
        var tag = AdminArguments.Of("tag", "the tag's name", text => TagName.TryParse(text, out var parsed) ? parsed : (TagName?)null, "a tag's name");
        return verbs.Verb("tag", "Put a tag back to the manifest it was deleted from, and restore that where it was deleted too.",
            async (result, services, stop) => Print(services, $"tag {result.GetValue(tag)}", await services.GetRequiredService<ContentRestore>()
                .RestoreTagAsync(result.GetValue(repository), result.GetValue(tag), Actor.Console, stop)), repository, tag);
    }

    private static Command Blob(AdminVerbs verbs)
    {
        var (repository, digest) = (AdminArguments.Repository(), AdminArguments.Digest());
        return verbs.Verb("blob", "Restore a repository's right to a blob.", async (result, services, stop) =>
            Print(services, $"blob {result.GetValue(digest)}", await services.GetRequiredService<ContentRestore>().RestoreBlobAsync(
                result.GetValue(repository), result.GetValue(digest), Actor.Console, stop)), repository, digest);
    }

    private static int Print(IServiceProvider services, string what, Restored? restored)
    {
        if (restored is null)
        {
            var grace = services.GetRequiredService<IOptions<GcOptions>>().Value.Grace;
            return Verbs.Fail($"nothing to restore: {what} is there, never was, or was deleted longer ago than its grace of {grace:c}");
        }

        foreach (var digest in restored.Manifests) AdminVerbs.Print($"manifest {digest}");
        foreach (var digest in restored.Blobs) AdminVerbs.Print($"blob {digest}");
        foreach (var tag in restored.Tags) AdminVerbs.Print($"tag {tag}");
        return Verbs.Ok;
    }
}
