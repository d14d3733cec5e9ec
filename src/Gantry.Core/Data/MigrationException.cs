namespace Gantry.Core.Data;

/// <summary>The database cannot be brought to this program's schema. The message is one for the operator.</summary>
public sealed class MigrationException : Exception
{
    public MigrationException()
    {
    }

    public MigrationException(string message) : base(message)
    {
    }

    public MigrationException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
