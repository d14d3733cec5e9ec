using Npgsql;

namespace Gantry.Core.Data;

/// <summary>Tells a database that is away from a statement that is wrong.</summary>
public static class DatabaseOutage
{
    public static bool Is(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            // A PostgresException is an answer: only the classes for shutting down, starting, broken connections, a full
            // disk and too many connections (57..., 08..., 53...), and a failing disk (58...), say that the next one may
            // differ; and one that refuses or ends the whole session, whatever its reason.
            if (cause is PostgresException answer)
            {
                return answer.InvariantSeverity is "FATAL" or "PANIC"
                    || answer.SqlState.StartsWith("57", StringComparison.Ordinal)
                    || answer.SqlState.StartsWith("08", StringComparison.Ordinal)
                    || answer.SqlState.StartsWith("53", StringComparison.Ordinal)
                    || answer.SqlState.StartsWith("58", StringComparison.Ordinal);
            }

            if (cause is NpgsqlException) return true;
        }

        return false;
    }

    /// <summary>A statement that took longer than it may.</summary>
    public static bool IsTimeout(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is TimeoutException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled }) return true;
        }

        return false;
    }
}
