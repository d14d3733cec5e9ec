namespace Gantry.Core.Data;

/// <summary>
/// Where the database is: known once the server's own PostgreSQL runs, which is after the services were put together
/// and their options checked.
/// </summary>
public sealed class DatabaseAddress
{
    private string? _connectionString;

    public string ConnectionString
    {
        get => _connectionString ?? throw new InvalidOperationException("the database was asked for before it was started");
        set => _connectionString = value;
    }
}
