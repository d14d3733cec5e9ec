namespace Gantry.Core.Events;

/// <summary>Who did something, from where: what tag history and events keep.</summary>
/// <param name="Account">Null for an anonymous caller.</param>
/// <param name="Address">The client's address, without port.</param>
/// <param name="RequestId">The id that the log and the error show too.</param>
/// <param name="Client">The program, as its User-Agent says; cut to <see cref="MaxClient"/> characters where it is kept.</param>
public sealed record Actor(string? Account, string? Address, string? RequestId, string? Client = null)
{
    public const int MaxClient = 256;

    /// <summary>Somebody at the machine itself: a verb of <c>gantry-server admin</c>.</summary>
    public static Actor Console { get; } = new(null, null, null, "gantry-server admin");
}
