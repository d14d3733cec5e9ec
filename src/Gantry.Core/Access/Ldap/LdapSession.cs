using System.DirectoryServices.Protocols;
using System.Net;
using System.Text;

namespace Gantry.Core.Access;

/// <summary>
/// One connection to the directory, for one login. Every call blocks, for the configured time at most. It follows no
/// referral: that would send a password to a server nobody named.
/// </summary>
internal sealed class LdapSession : IDisposable
{
    private readonly LdapOptions _options;
    private readonly LdapConnection _connection;

    private LdapSession(LdapOptions options, LdapConnection connection) => (_options, _connection) = (options, connection);

    /// <exception cref="DirectoryException">The server cannot be reached, or is not the one that its certificate should name.</exception>
    public static LdapSession Open(LdapOptions options)
    {
        var connection = LdapLibrary.Create(options);
        try
        {
            connection.SessionOptions.ProtocolVersion = 3;
            connection.SessionOptions.ReferralChasing = ReferralChasingOptions.None;
            if (options.Address()!.IsTls) connection.SessionOptions.SecureSocketLayer = true;
            if (options.StartTls) connection.SessionOptions.StartTransportLayerSecurity(null);
            return new LdapSession(options, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>As the account that searches.</summary>
    public void BindToSearch()
    {
        if (_options.BindDn.Length > 0)
        {
            _connection.Bind(new NetworkCredential(_options.BindDn, _options.BindPassword));
            return;
        }

        _connection.AuthType = AuthType.Anonymous;
        _connection.Bind();
        _connection.AuthType = AuthType.Basic;
    }

    /// <summary>False: the password is wrong, or the entry may not log in.</summary>
    /// <exception cref="ArgumentException">
    /// The password is empty, or would be for a library of C: servers take that for an anonymous bind, and agree (RFC
    /// 4513, section 5.1.2).
    /// </exception>
    public bool TryBind(string dn, string password)
    {
        if (password.Length == 0 || password.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("an empty password proves nothing", nameof(password));
        try
        {
            _connection.Bind(new NetworkCredential(dn, password));
            return true;
        }
        catch (LdapException e) when (IsRefusal((ResultCode)e.ErrorCode))
        {
            return false;
        }
    }

    /// <summary>At most <paramref name="limit"/> entries; the server may give fewer by limits of its own.</summary>
    /// <exception cref="InvalidDataException">It refers to another server.</exception>
    public IReadOnlyList<SearchResultEntry> Search(string below, string filter, int limit, params string[] attributes)
    {
        var request = new SearchRequest(below, filter, SearchScope.Subtree, attributes)
        {
            SizeLimit = limit, TimeLimit = _options.Timeout, Aliases = DereferenceAlias.Never,
        };
        try
        {
            var response = (SearchResponse)_connection.SendRequest(request);
            return response.ResultCode == ResultCode.Success
                ? [.. response.Entries.Cast<SearchResultEntry>()]
                : throw new InvalidDataException($"the search below {below} ends with {response.ResultCode}");
        }
        catch (DirectoryOperationException e)
            when (e.Response is SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } some)
        {
            return [.. some.Entries.Cast<SearchResultEntry>()];
        }
    }

    /// <summary>The values of an attribute; none where the entry has no such one, or the name is empty.</summary>
    public static IEnumerable<byte[]> Values(SearchResultEntry entry, string attribute) =>
        attribute.Length > 0 && entry.Attributes.Contains(attribute)
            ? entry.Attributes[attribute].GetValues(typeof(byte[])).Cast<byte[]>()
            : [];

    public static IEnumerable<string> Texts(SearchResultEntry entry, string attribute) =>
        Values(entry, attribute).Select(Encoding.UTF8.GetString);

    public void Dispose() => _connection.Dispose();

    // Whatever else goes wrong is a matter of the server, and no password's fault.
    private static bool IsRefusal(ResultCode code) =>
        (int)code == 49 // invalidCredentials, which the enumeration leaves out
        || code is ResultCode.InappropriateAuthentication or ResultCode.NoSuchObject or ResultCode.InsufficientAccessRights
            or ResultCode.UnwillingToPerform or ResultCode.ConstraintViolation;
}
