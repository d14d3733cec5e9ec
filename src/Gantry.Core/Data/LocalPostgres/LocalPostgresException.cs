namespace Gantry.Core.Data;

/// <summary>The private PostgreSQL cannot run. The message is one for the person who starts the server.</summary>
public sealed class LocalPostgresException : Exception
{
    public LocalPostgresException()
    {
    }

    public LocalPostgresException(string message) : base(message)
    {
    }

    public LocalPostgresException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
