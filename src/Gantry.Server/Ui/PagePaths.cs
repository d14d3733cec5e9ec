using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>
/// Where pages that others link to are: below the root, without a slash before it. What follows a repository is a tag behind a colon or a
/// digest behind an @, as in a reference.
/// </summary>
internal static class PagePaths
{
    public static string Namespace(string name) => $"namespaces/{name}";

    public static string Robots(string home) => $"namespaces/{home}/robots";

    public static string Robot(string home, string name) => $"namespaces/{home}/robots/{name}";

    public static string Webhooks(string home) => $"namespaces/{home}/webhooks";

    public static string Repository(RepositoryName name) => $"repositories/{name}";

    /// <summary>The pages above one that is about something in a repository.</summary>
    public static IReadOnlyList<(string Text, string Path)> WayTo(RepositoryName name) => [.. WayAbove(name), (name.ToString(), Repository(name))];

    /// <summary>The pages above a repository's.</summary>
    public static IReadOnlyList<(string Text, string Path)> WayAbove(RepositoryName name) => [("Repositories", "./"), (name.Namespace, Namespace(name.Namespace))];

    /// <summary>An image, or whatever else the reference names; <see cref="ImageLinks"/> has the rest that is about one.</summary>
    public static string Image(RepositoryName name, Reference reference) => ImageLinks.Of(name, reference).Image;

    public static string History(RepositoryName name, TagName tag) => $"history/{name}:{tag}";

    public static string Readme(RepositoryName name) => $"readme/{name}";

    public static string Usage(RepositoryName name) => $"usage/{name}";

    /// <summary>What was deleted and can be restored.</summary>
    public static string Deleted(RepositoryName name) => $"deleted/{name}";

    /// <summary>Asks before all of it goes, and says what that frees; so do the others before a tag or an image does.</summary>
    public static string Delete(RepositoryName name) => $"delete/{name}";

    public static string Delete(RepositoryName name, TagName tag) => $"delete/{name}:{tag}";

    public static string Delete(RepositoryName name, Digest digest) => $"delete/{name}@{digest}";

    public static string Webhook(long id) => $"webhooks/{id}";

    public static string Delivery(long webhook, long id) => $"webhooks/{webhook}/deliveries/{id}";
}
