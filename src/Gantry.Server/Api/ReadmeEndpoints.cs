using Gantry.Core.Browse;

namespace Gantry.Server.Api;

/// <param name="Markdown">As it was written: whoever renders it makes it safe.</param>
/// <param name="Account">Who wrote it.</param>
internal sealed record ReadmeReply(string Markdown, string? Account, DateTimeOffset UpdatedAt)
{
    public static ReadmeReply Of(Readme readme) => new(readme.Markdown, readme.Account, readme.UpdatedAt);
}

/// <param name="Markdown">At most 64 KiB in UTF-8.</param>
internal sealed record ReadmeText(string Markdown);

internal static class ReadmeEndpoints
{
    /// <summary>Each character may be written as <c>\uXXXX</c>.</summary>
    public const int MaxBody = 6 * Readmes.MaxBytes + 1024;

    [EndpointSummary("What its maintainers say about a repository")]
    public static async Task<IResult> GetReadmeAsync(ApiRequest request) => request.One(ReadmeReply.Of(await FindAsync(request) ?? throw Missing(request)));

    [EndpointSummary("Writes what is said about a repository")]
    public static async Task<IResult> WriteReadmeAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var markdown = body.Prose("markdown", Readmes.MaxBytes);
        body.End();
        if (!await request.Service<Readmes>().WriteAsync(request.Repository, markdown!, request.Actor, request.Aborted, Expected(request)))
            throw request.NoRepository();
        return request.Changed(ReadmeReply.Of(await FindAsync(request) ?? throw Missing(request)));
    }

    [EndpointSummary("Removes what is said about a repository")]
    public static async Task<IResult> RemoveReadmeAsync(ApiRequest request) =>
        await request.Service<Readmes>().RemoveAsync(request.Repository, request.Actor, request.Aborted, Expected(request))
            ? ApiRequest.NoContent() : throw Missing(request);

    private static Task<Readme?> FindAsync(ApiRequest request) => request.Service<Readmes>().FindAsync(request.Repository, request.Aborted);

    private static Action<Readme?> Expected(ApiRequest request) => readme =>
    {
        if (readme is null) request.RequireNoMatch();
        else request.RequireMatch(ReadmeReply.Of(readme));
    };

    private static ApiException Missing(ApiRequest request) => ApiException.NotFound($"there is no README of {request.Repository}");
}
