using System.Runtime.InteropServices;

namespace Gantry.TestKit;

/// <summary>Files as SQLite itself writes them. Wants Debian's libsqlite3-0.</summary>
public static partial class Sqlite
{
    /// <summary>Runs statements on a new database and gives its bytes.</summary>
    public static byte[] File(params IEnumerable<string> statements)
    {
        var path = Path.Combine(Path.GetTempPath(), $"gantry-test-{Guid.NewGuid():N}");
        try
        {
            Check(sqlite3_open(path, out var database), database);
            foreach (var statement in statements) Check(sqlite3_exec(database, statement, 0, 0, 0), database);
            Check(sqlite3_close(database), 0);
            return System.IO.File.ReadAllBytes(path);
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    private static void Check(int result, nint database)
    {
        if (result != 0) throw new InvalidOperationException(database == 0 ? $"SQLite says {result}" : Marshal.PtrToStringUTF8(sqlite3_errmsg(database)));
    }

    [LibraryImport("libsqlite3.so.0", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int sqlite3_open(string path, out nint database);

    [LibraryImport("libsqlite3.so.0", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int sqlite3_exec(nint database, string statement, nint callback, nint argument, nint error);

    [LibraryImport("libsqlite3.so.0")]
    private static partial int sqlite3_close(nint database);

    [LibraryImport("libsqlite3.so.0")]
    private static partial nint sqlite3_errmsg(nint database);
}
