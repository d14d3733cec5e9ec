namespace Gantry.Core.Access;

/// <summary>Whose fault it is that a sign-on came to nothing.</summary>
public enum SignOnFault
{
    /// <summary>The browser's request does not belong to a sign-on that was begun here, or is too late.</summary>
    Request,

    /// <summary>The provider, or this registry, does not let this person in.</summary>
    Denied,

    /// <summary>The provider answers what cannot be trusted or understood.</summary>
    Answer,

    /// <summary>The provider does not answer.</summary>
    Unreachable,
}

/// <summary>A sign-on that came to nothing; the message is for the person who tried, and holds no secret.</summary>
public sealed class SignOnException(SignOnFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public SignOnFault Fault { get; } = fault;
}
