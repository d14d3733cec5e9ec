using System.DirectoryServices.Protocols;
using System.Runtime.InteropServices;
using System.Text;

namespace Gantry.Core.Access;

/// <summary>
/// OpenLDAP's client library, which System.DirectoryServices.Protocols calls, and those of its settings that this one
/// does not reach: which certificates are trusted, how long anything may take, and where StartTLS goes. They belong to the
/// process, and a connection takes them over when it is made: so it is made here.
/// </summary>
internal static unsafe class LdapLibrary
{
    private const int Restart = 0x0009, Timeout = 0x5002, NetworkTimeout = 0x5005, Address = 0x5006;
    private const int TlsCaFile = 0x6002, TlsCaFolder = 0x6003, TlsRequireCertificate = 0x6006, TlsLeast = 0x6007, TlsNewContext = 0x600f;
    private const int On = 1, Demand = 2, Tls12 = 0x303, AsClient = 0;

    // In the order in which System.DirectoryServices.Protocols tries them: another one would have its own settings.
    private static readonly string[] Names = ["libldap.so.2", "libldap-2.6.so.0", "libldap-2.5.so.0", "libldap-2.4.so.2"];

    private static readonly string[] SystemCaFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

    private static readonly Lock One = new();
    private static LdapOptions? _configured;
    private static readonly Lazy<nint> Library = new(
        () => Names.Select(name => NativeLibrary.TryLoad(name, out var handle) ? handle : 0).FirstOrDefault(handle => handle != 0));

    public static bool IsInstalled => Library.Value != 0;

    /// <summary>A connection for these settings, whatever the machine's ldap.conf says: not connected yet.</summary>
    public static LdapConnection Create(LdapOptions options)
    {
        lock (One)
        {
            var address = options.Address()!;
            if (!ReferenceEquals(options, _configured)) Configure(options, address);
            _configured = options;
            return new LdapConnection(new LdapDirectoryIdentifier(address.Host, address.Port))
            {
                AuthType = AuthType.Basic, AutoBind = false, Timeout = options.Timeout,
            };
        }
    }

    private static void Configure(LdapOptions options, LdapAddress address)
    {
        _configured = null;
        var limit = new TimeValue { Seconds = (nint)Math.Ceiling(options.Timeout.TotalSeconds) };
        Set(Timeout, &limit);
        Set(NetworkTimeout, &limit);
        // The runtime interrupts threads by signals when it collects garbage; without this the library takes an
        // interrupted wait for a lost connection.
        Set(Restart, On);
        // A connection learns its own address only when it binds, which is after StartTLS.
        Set(Address, $"{(address.IsTls ? "ldaps" : "ldap")}://{address.Host}:{address.Port}");
        if (!address.IsTls && !options.StartTls) return;

        Set(TlsRequireCertificate, Demand);
        Set(TlsLeast, Tls12);
        Set(TlsCaFolder, (string?)null);
        Set(TlsCaFile, options.CaFile.Length > 0 ? Path.GetFullPath(options.CaFile) : SystemCaFiles.FirstOrDefault(File.Exists));
        Set(TlsNewContext, AsClient);
    }

    private static void Set(int option, string? value)
    {
        fixed (byte* text = value is null ? null : Encoding.UTF8.GetBytes(value + '\0')) Set(option, (void*)text);
    }

    private static void Set(int option, int value) => Set(option, &value);

    private static void Set(int option, void* value)
    {
        var set = (delegate* unmanaged<nint, int, void*, int>)NativeLibrary.GetExport(Library.Value, "ldap_set_option");
        if (set(0, option, value) is not 0 and var error)
            throw new InvalidOperationException($"libldap does not take option 0x{option:x} (error {error})");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeValue
    {
        public nint Seconds;
        public nint Microseconds;
    }
}
