using System.Diagnostics;
using System.DirectoryServices.Protocols;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Core.Access;

namespace Gantry.TestKit;

/// <summary>
/// Debian's slapd on the loopback, with a folder of its own: a real directory for the tests. It holds
/// <see cref="Suffix"/> with people, whose password is <see cref="Password"/>, and groups that know their members both
/// ways. Only <see cref="SearchDn"/> may read it.
/// </summary>
public sealed class SlapdServer : IAsyncDisposable
{
    public const string Suffix = "dc=example,dc=com";
    public const string People = $"ou=people,{Suffix}";
    public const string Groups = $"ou=groups,{Suffix}";
    public const string SearchDn = $"cn=search,{Suffix}";
    public const string Password = "right pässword";

    private const string Program = "/usr/sbin/slapd", RootDn = $"cn=root,{Suffix}", RootPassword = "root-password";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-test-slapd-");
    private readonly (int Plain, int Tls) _ports = (FreePort(), FreePort());
    private Process? _process;

    private SlapdServer() => Authority = new TestAuthority(_folder.FullName, "ca");

    public string Url => $"ldap://127.0.0.1:{_ports.Plain}";

    public string TlsUrl => $"ldaps://127.0.0.1:{_ports.Tls}";

    /// <summary>Signed the server's certificate.</summary>
    public TestAuthority Authority { get; }

    /// <summary>Signed nothing that the server has.</summary>
    public TestAuthority AnotherAuthority => new(_folder.FullName, "another-ca");

    /// <summary>What a server needs to know: people and groups by searching, as the search account.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Ldap:Url"] = Url, ["Ldap:BindDn"] = SearchDn, ["Ldap:BindPassword"] = Password, ["Ldap:UserBase"] = People,
        ["Ldap:GroupBase"] = Groups,
    };

    public static async Task<SlapdServer> StartAsync()
    {
        if (!File.Exists(Program)) throw new InvalidOperationException($"{Program} is missing: apt-get install slapd");
        var server = new SlapdServer();
        try
        {
            await server.MakeAsync();
            await server.RunAsync();
            server.Send(new AddRequest(Groups, "organizationalUnit"));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it again, on its old ports, after <see cref="StopAsync"/>.</summary>
    public async Task RunAsync()
    {
        var process = Start(Program, "-d", "8", "-f", Path.Combine(_folder.FullName, "slapd.conf"),
            "-h", $"{Url} {TlsUrl} {Misnamed(Url)} {Misnamed(TlsUrl)}");
        var ready = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) ready.TrySetResult("it ended");
            else if (line.Data.Contains("listen=", StringComparison.Ordinal)) ready.TrySetResult(null);
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _process = process;
        if (await ready.Task.WaitAsync(Patience) is { } fault) throw new InvalidOperationException($"slapd does not start: {fault}");
    }

    public async Task StopAsync()
    {
        if (_process is not { } process) return;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.Dispose();
    }

    /// <summary>Stops it in its tracks, connections and all, or lets it go on.</summary>
    public void Freeze(bool frozen = true) =>
        _ = ServerProcess.Kill(_process!.Id, frozen ? ServerProcess.SigStop : ServerProcess.SigContinue);

    /// <summary>The same server under a name that its certificate does not have.</summary>
    public static string Misnamed(string url) => url.Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal);

    public static string PersonDn(string uid, string below = People) => $"uid={uid},{below}";

    public void AddPerson(string uid, string below = People, string? password = Password) =>
        AddEntry(PersonDn(uid, below), uid, password);

    /// <summary>A person with any distinguished name.</summary>
    public void AddEntry(string dn, string uid, string? password = Password)
    {
        var request = new AddRequest(dn, "inetOrgPerson");
        request.Attributes.Add(new DirectoryAttribute("uid", uid));
        request.Attributes.Add(new DirectoryAttribute("cn", $"Name of {uid}"));
        request.Attributes.Add(new DirectoryAttribute("sn", uid));
        request.Attributes.Add(new DirectoryAttribute("mail", $"{uid}@example.com"));
        if (password is not null) request.Attributes.Add(new DirectoryAttribute("userPassword", password));
        Send(request);
    }

    public void AddUnit(string dn) => Send(new AddRequest(dn, "organizationalUnit"));

    public void AddGroup(string name, params string[] members)
    {
        var request = new AddRequest(GroupDn(name), "groupOfNames");
        request.Attributes.Add(new DirectoryAttribute("member", members));
        Send(request);
    }

    public void SetMembers(string group, params string[] members) =>
        Send(new ModifyRequest(GroupDn(group), DirectoryAttributeOperation.Replace, "member", members));

    /// <summary>An entry that is somewhere else.</summary>
    public void AddReferral(string dn, string url)
    {
        Send(new AddRequest(
            dn, new DirectoryAttribute("objectClass", "referral", "extensibleObject"), new DirectoryAttribute("ref", url)));
    }

    public void Remove(string dn) => Send(new DeleteRequest(dn));

    private static string GroupDn(string name) => $"cn={name.Replace(",", "\\,", StringComparison.Ordinal)},{Groups}";

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private void Send(DirectoryRequest request)
    {
        // Made as the server makes them: another one is cut now and then by garbage collection.
        using var connection = LdapLibrary.Create(new LdapOptions { Url = Url });
        connection.SessionOptions.ProtocolVersion = 3;
        connection.Bind(new NetworkCredential(RootDn, RootPassword));
        connection.SendRequest(request);
    }

    private async Task MakeAsync()
    {
        var data = _folder.CreateSubdirectory("data").FullName;
        var (certificate, key) = Authority.Issue("server");
        await File.WriteAllTextAsync(
            Path.Combine(_folder.FullName, "slapd.conf"),
            $"""
             include /etc/ldap/schema/core.schema
             include /etc/ldap/schema/cosine.schema
             include /etc/ldap/schema/inetorgperson.schema
             modulepath /usr/lib/ldap
             moduleload back_mdb
             moduleload memberof
             pidfile {_folder.FullName}/slapd.pid
             argsfile {_folder.FullName}/slapd.args
             TLSCertificateFile {certificate}
             TLSCertificateKeyFile {key}
             database mdb
             suffix "{Suffix}"
             rootdn "{RootDn}"
             rootpw {RootPassword}
             directory {data}
             maxsize 16777216
             dbnosync
             overlay memberof
             access to attrs=userPassword by anonymous auth by * none
             access to * by dn.exact="{SearchDn}" read by * none

             """);
        var entries = Path.Combine(_folder.FullName, "first.ldif");
        await File.WriteAllTextAsync(
            entries,
            $"""
             dn: {Suffix}
             objectClass: dcObject
             objectClass: organization
             dc: example
             o: Example

             dn: {SearchDn}
             objectClass: organizationalRole
             objectClass: simpleSecurityObject
             cn: search
             userPassword:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(Password))}

             dn: {People}
             objectClass: organizationalUnit
             ou: people

             """);
        using var load = Start("/usr/sbin/slapadd", "-f", Path.Combine(_folder.FullName, "slapd.conf"), "-l", entries);
        var errors = await load.StandardError.ReadToEndAsync();
        await load.WaitForExitAsync().WaitAsync(Patience);
        if (load.ExitCode != 0) throw new InvalidOperationException($"slapadd: {errors}");
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) 
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
