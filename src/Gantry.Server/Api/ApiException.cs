namespace Gantry.Server.Api;

/// <summary>A refusal of the management API, to be shown as <c>problem+json</c> by <see cref="ProblemRendering"/>.</summary>
/// <param name="detail">For a person; never holds what the caller may not know.</param>
/// <param name="errors">What is wrong with the request, by the name of its part.</param>
internal sealed class ApiException(int status, string detail, IReadOnlyDictionary<string, string[]>? errors = null)
    : Exception(detail)
{
    public int Status { get; } = status;

    public IReadOnlyDictionary<string, string[]>? Errors { get; } = errors;

    public static ApiException NotFound(string detail) => new(StatusCodes.Status404NotFound, detail);

    public static ApiException Forbidden(string detail) => new(StatusCodes.Status403Forbidden, detail);

    public static ApiException Conflict(string detail) => new(StatusCodes.Status409Conflict, detail);

    public static ApiException Unauthorized(string detail) => new(StatusCodes.Status401Unauthorized, detail);

    public static ApiException BadRequest(string part, string fault) =>
        new(StatusCodes.Status400BadRequest, $"{part} {fault}",
            new Dictionary<string, string[]>(StringComparer.Ordinal) { [part] = [fault] });
}
