namespace Gantry.Server.Ui;

/// <summary>A page that cannot be shown; <see cref="PageErrors"/> shows why, and what to do.</summary>
/// <param name="detail">A sentence for a person; never holds what the visitor may not know.</param>
internal sealed class PageException(int status, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    /// <summary>The one text for what is not there and for what the visitor may not see.</summary>
    public static PageException NotFound() =>
        new(StatusCodes.Status404NotFound, "There is nothing under this address, or nothing that you may see.");

    public static PageException Forbidden(string detail) => new(StatusCodes.Status403Forbidden, detail);
}
