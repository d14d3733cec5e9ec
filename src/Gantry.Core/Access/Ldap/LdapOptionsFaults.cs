using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>Names every fault of <see cref="LdapOptions"/> at once, a missing library too.</summary>
internal sealed class LdapOptionsFaults : IValidateOptions<LdapOptions>
{
    public ValidateOptionsResult Validate(string? name, LdapOptions options)
    {
        var faults = options.IsConfigured ? Of(options).ToList()
            : options.UserBase.Length > 0 || options.BindDn.Length > 0 ? ["Ldap:Url is missing."]
            : new List<string>();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Of(LdapOptions options)
    {
        if (options.Address() is not { } address)
        {
            yield return "Ldap:Url must be ldap://host:port or ldaps://host:port.";
        }
        else
        {
            var encrypts = address.IsTls || options.StartTls;
            if (address.IsTls && options.StartTls) yield return "Ldap:StartTls is for ldap:// alone; ldaps:// encrypts already.";
            if (!encrypts && !address.IsLoopback && !options.AllowPlaintext)
                yield return "Ldap:Url would send passwords unencrypted: use ldaps://, Ldap:StartTls, or Ldap:AllowPlaintext if that is meant.";
            if (!encrypts && options.CaFile.Length > 0) yield return "Ldap:CaFile is for ldaps:// and Ldap:StartTls alone.";
        }

        if (options.CaFile.Length > 0 && AuthorityFile.FaultOf(options.CaFile) is { } fault) yield return $"Ldap:CaFile {fault}.";
        if (!IsName(options.Name)) yield return "Ldap:Name must be 1 to 64 characters a-z, 0-9 or '-'.";
        if ((options.BindDn.Length == 0) != (options.BindPassword.Length == 0))
            yield return "Ldap:BindDn and Ldap:BindPassword belong together: both, or none to search anonymously.";
        if (options.BindPassword.Contains('\0', StringComparison.Ordinal)) yield return "Ldap:BindPassword has a NUL in it.";
        if (options.UserBase.Length == 0) yield return "Ldap:UserBase is missing: where people are searched.";
        if (!LdapText.IsFilter(options.UserFilter)) yield return "Ldap:UserFilter must be a filter in parentheses with {0} for the name.";
        if (!LdapText.IsFilter(options.GroupFilter)) yield return "Ldap:GroupFilter must be a filter in parentheses with {0} for the person.";

        (string Key, string Value, bool Optional)[] attributes =
        [
            ("SubjectAttribute", options.SubjectAttribute, false), ("NameAttribute", options.NameAttribute, false),
            ("DisplayNameAttribute", options.DisplayNameAttribute, true), ("EmailAttribute", options.EmailAttribute, true),
            ("GroupNameAttribute", options.GroupNameAttribute, false), ("MemberOfAttribute", options.MemberOfAttribute, true),
        ];
        foreach (var (key, value, optional) in attributes)
            if (!(optional && value.Length == 0) && !LdapText.IsAttribute(value)) yield return $"Ldap:{key} must be the name of an attribute.";

        var asksGroups = options.AdministratorGroups.Length > 0 || options.AllowedGroups.Length > 0;
        if (options.GroupBase.Length > 0 && options.MemberOfAttribute.Length > 0)
            yield return "Ldap:GroupBase and Ldap:MemberOfAttribute are two ways to the same groups: give one.";
        if (asksGroups && options.GroupBase.Length == 0 && options.MemberOfAttribute.Length == 0)
            yield return "Ldap:AdministratorGroups and Ldap:AllowedGroups need Ldap:GroupBase or Ldap:MemberOfAttribute.";
        if (options.AdministratorGroups.Concat(options.AllowedGroups).Any(group => !ExternalProfile.IsText(group)))
            yield return "Ldap:AdministratorGroups and Ldap:AllowedGroups must hold names of groups.";
        if (options.Timeout < TimeSpan.FromSeconds(1) || options.Timeout > TimeSpan.FromMinutes(1))
            yield return "Ldap:Timeout must be between 00:00:01 and 00:01:00.";
        if (options.LoginLifetime < TimeSpan.FromHours(1) || options.LoginLifetime > TimeSpan.FromDays(366))
            yield return "Ldap:LoginLifetime must be between 01:00:00 and 366.00:00:00.";
        if (!LdapLibrary.IsInstalled)
            yield return "Ldap:Url needs OpenLDAP's client library: apt-get install libldap2 (Debian 12: libldap-2.5-0).";
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
