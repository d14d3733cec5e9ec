namespace Gantry.Core.Events;

/// <summary>Who did something, from where: what tag history and events keep.</summary>
/// <param name="Account">Null for an anonymous caller.</param>
/// <param name="Address">The client's address, without port.</param>
/// <param name="RequestId">The id that the log and the error show too.</param>
public sealed record Actor(string? Account, string? Address, string? RequestId);
