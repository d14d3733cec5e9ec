using System.Net.Sockets;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>
/// Debian's slapd on the loopback, with a folder of its own and everything in it from the start: one person, whose
/// password is <see cref="Password"/>, in one group.
/// </summary>
internal sealed class Slapd : IAsyncDisposable
{
    public const string Person = "erin", Group = "developers";

    /// <summary>With what a client or a script could get wrong on the way.</summary>
    public const string Password = "pässword with: $igns";

    private const string Suffix = "dc=example,dc=com";
    private readonly Daemon process;
    private readonly string address;

    private Slapd(Daemon process, string address) => (this.process, this.address) = (process, address);

    /// <summary>What makes a registry ask it.</summary>
    public string[] Settings =>
    [
        $"--Ldap:Url={address}", $"--Ldap:BindDn=cn=search,{Suffix}", "--Ldap:BindPassword=search password",
        $"--Ldap:UserBase=ou=people,{Suffix}", $"--Ldap:GroupBase=ou=groups,{Suffix}",
    ];

    public static async Task<Slapd> StartAsync(string folder)
    {
        var (config, entries) = (Path.Combine(folder, "slapd.conf"), Path.Combine(folder, "entries.ldif"));
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        await File.WriteAllTextAsync(config, Configuration(folder));
        await File.WriteAllTextAsync(entries, Entries);
        await new Command("/usr/sbin/slapadd").RunAsync("-f", config, "-l", entries);

        var port = RegistryUnderTest.FreePort();
        var url = $"ldap://127.0.0.1:{port}";
        var daemon = Daemon.Start(
            new Command("/usr/sbin/slapd"), Path.Combine(folder, "log"), "-d", "0", "-f", config, "-h", $"{url}/");
        await daemon.UntilAsync(() => AnswersAsync(port), TimeSpan.FromSeconds(60));
        return new Slapd(daemon, url);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static async Task<bool> AnswersAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // Only the search account may read; passwords can be tried and never read.
    private static string Configuration(string folder) => $"""
        include /etc/ldap/schema/core.schema
        include /etc/ldap/schema/cosine.schema
        include /etc/ldap/schema/inetorgperson.schema
        modulepath /usr/lib/ldap
        moduleload back_mdb
        pidfile {folder}/slapd.pid
        argsfile {folder}/slapd.args
        database mdb
        suffix "{Suffix}"
        directory {folder}/data
        maxsize 16777216
        access to attrs=userPassword by anonymous auth by * none
        access to * by dn.exact="cn=search,{Suffix}" read by * none

        """;

    private static string Entries => $"""
        dn: {Suffix}
        objectClass: dcObject
        objectClass: organization
        dc: example
        o: Example

        dn: cn=search,{Suffix}
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: search
        userPassword: search password

        dn: ou=people,{Suffix}
        objectClass: organizationalUnit
        ou: people

        dn: uid={Person},ou=people,{Suffix}
        objectClass: inetOrgPerson
        uid: {Person}
        cn: Erin Example
        sn: Example
        userPassword:: {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Password))}

        dn: ou=groups,{Suffix}
        objectClass: organizationalUnit
        ou: groups

        dn: cn={Group},ou=groups,{Suffix}
        objectClass: groupOfNames
        cn: {Group}
        member: uid={Person},ou=people,{Suffix}

        """;
}
