using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>What a request without any credential may do.</summary>
public enum AnonymousAccess
{
    /// <summary>Nothing: every request needs an account, public namespaces too.</summary>
    None,

    /// <summary>Pull from public namespaces and list them.</summary>
    Pull,

    /// <summary>Pull, push and delete: a throw-away registry on a laptop.</summary>
    Full,
}

/// <summary>Section <c>Access</c>: who may do what, and how long a login lasts.</summary>
public sealed class AccessOptions
{
    public const string Section = "Access";

    public AnonymousAccess Anonymous { get; set; } = AnonymousAccess.Pull;

    /// <summary>
    /// The password of <c>admin</c>, read only when the first start makes that account; 8 to 1024 characters. Empty:
    /// one is generated and printed once.
    /// </summary>
    public string AdminPassword { get; set; } = "";

    /// <summary>
    /// Names this registry in challenges and tokens (<c>service</c>, <c>iss</c>, <c>aud</c>). All nodes of one database
    /// need the same; changing it ends every token and every docker login.
    /// </summary>
    public string Service { get; set; } = "gantry";

    /// <summary>How long a bearer token lives; 60 s to 1 h (clients assume 60 s at least).</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a docker login lasts; 1 h to 366 days.</summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>A signing key older than this is replaced; 1 day to 10 years.</summary>
    public TimeSpan SigningKeyLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// 32 bytes in base64 that encrypt the signing keys in the database; empty: they lie there
    /// plain.
    /// </summary>
    public string KeyEncryptionKey { get; set; } = "";

    /// <summary>
    /// Rounds of PBKDF2-HMAC-SHA512 for a password; 100,000 to 10,000,000. The default is OWASP's advice of 2023. Older
    /// hashes are renewed at their next login.
    /// </summary>
    public int PasswordHashIterations { get; set; } = 210_000;

    /// <summary>
    /// Whether the accounts that first logins through a provider (OpenID Connect, LDAP) make may create namespaces. What
    /// an account has already stays.
    /// </summary>
    public bool NewAccountsCreateNamespaces { get; set; }

    public ThrottleOptions Throttle { get; set; } = new();

    /// <summary>The key that <see cref="KeyEncryptionKey"/> gives, or null when it is empty or not 32 bytes.</summary>
    internal byte[]? EncryptionKeyBytes()
    {
        var bytes = new byte[33];
        return Convert.TryFromBase64String(KeyEncryptionKey, bytes, out var written) && written == 32
            ? bytes[..32]
            : null;
    }
}

/// <summary>
/// Section <c>Access:Throttle</c>: how many wrong passwords are free, and how the delay grows after them (doubled with
/// each failure, from <see cref="FirstDelay"/> to <see cref="LongestDelay"/>).
/// </summary>
public sealed class ThrottleOptions
{
    /// <summary>Free failures of one account from one address; 1 to 1000.</summary>
    public int FailuresPerAccountAndAddress { get; set; } = 5;

    /// <summary>Free failures from one address (IPv6: one /64), whatever the account; 1 to 100,000.</summary>
    public int FailuresPerAddress { get; set; } = 100;

    /// <summary>
    /// Free failures of one account, whatever the address; 1 to 100,000. Addresses from which the account logged in
    /// lately are not held back by it, so that strangers cannot lock somebody out.
    /// </summary>
    public int FailuresPerAccount { get; set; } = 100;

    /// <summary>100 ms to 1 min.</summary>
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>1 s to 1 h.</summary>
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Failures are forgotten this long after the last one; 1 min to 1 day, longer than the longest
    /// delay.
    /// </summary>
    public TimeSpan Memory { get; set; } = TimeSpan.FromMinutes(15);
}

/// <summary>Names every fault of <see cref="AccessOptions"/> at once.</summary>
internal sealed class AccessOptionsFaults : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var faults = new List<string>();
        var throttle = options.Throttle;

        if (!Enum.IsDefined(options.Anonymous)) faults.Add("Access:Anonymous must be None, Pull or Full.");
        if (options.AdminPassword.Length > 0 && PasswordRules.FaultOf(options.AdminPassword) is { } fault)
            faults.Add($"Access:AdminPassword {fault}.");
        if (options.Service.Length is 0 or > 255 || options.Service.Any(c => c is < '!' or > '~' or '"' or '\\'))
            faults.Add("Access:Service must be 1 to 255 printable ASCII characters without space, \" and \\.");
        if (options.KeyEncryptionKey.Length > 0 && options.EncryptionKeyBytes() is null)
            faults.Add("Access:KeyEncryptionKey must be 32 bytes in base64 (make one with: openssl rand -base64 32).");
        if (options.PasswordHashIterations is < 100_000 or > 10_000_000)
            faults.Add("Access:PasswordHashIterations must be between 100000 and 10000000.");

        Span("TokenLifetime", options.TokenLifetime, TimeSpan.FromSeconds(60), TimeSpan.FromHours(1));
        Span("RefreshTokenLifetime", options.RefreshTokenLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(366));
        Span("SigningKeyLifetime", options.SigningKeyLifetime, TimeSpan.FromDays(1), TimeSpan.FromDays(3660));
        Span("Throttle:FirstDelay", throttle.FirstDelay, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Span("Throttle:LongestDelay", throttle.LongestDelay, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Span("Throttle:Memory", throttle.Memory, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1));
        Count("Throttle:FailuresPerAccountAndAddress", throttle.FailuresPerAccountAndAddress, 1000);
        Count("Throttle:FailuresPerAddress", throttle.FailuresPerAddress, 100_000);
        Count("Throttle:FailuresPerAccount", throttle.FailuresPerAccount, 100_000);
        if (throttle.FirstDelay > throttle.LongestDelay)
            faults.Add("Access:Throttle:FirstDelay must not be longer than Access:Throttle:LongestDelay.");
        if (throttle.Memory <= throttle.LongestDelay)
            faults.Add("Access:Throttle:Memory must be longer than Access:Throttle:LongestDelay.");

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Span(string key, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most) faults.Add($"Access:{key} must be between {least:c} and {most:c}.");
        }

        void Count(string key, int value, int most)
        {
            if (value < 1 || value > most) faults.Add($"Access:{key} must be between 1 and {most}.");
        }
    }
}
