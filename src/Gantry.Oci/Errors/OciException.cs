namespace Gantry.Oci;

/// <summary>
/// A broken rule of the protocol, to be shown to the client as an error of the distribution-spec. Absence is a null,
/// not an exception; a fault of ours is any other exception.
/// </summary>
/// <param name="code">Which rule.</param>
/// <param name="detail">What exactly, for a person; never holds what the caller may not know.</param>
/// <param name="status">Where the protocol wants another HTTP status than the code's usual one.</param>
public sealed class OciException(OciErrorCode code, string? detail = null, int? status = null)
    : Exception(detail ?? code.Text().Message)
{
    public OciErrorCode Code { get; } = code;

    public string? Detail { get; } = detail;

    public int Status { get; } = status ?? code.Text().Status;

    /// <summary>Seconds after which trying again makes sense, where that is known.</summary>
    public int? RetryAfterSeconds { get; init; }
}
