using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Server;

/// <summary>Everything that is wrong with a configuration, found before anything is started.</summary>
internal static class SettingFaults
{
    /// <summary>
    /// What may stand before the first colon of an argument, or be all of its name. Files and environment may hold
    /// settings of other programs; an argument is meant for this one.
    /// </summary>
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "Access", "ConnectionStrings", "Data", "Gc", "Kestrel", "Keyless", "Ldap", "Limits", "Logging", "Look", "Push", "Removal", "Scrub", "Server",
        "SingleSignOn", "Storage", "Ui", "Webhooks",
        "Urls", "Http_Ports", "Https_Ports", "Environment", "AllowedHosts",
    };

    public static bool IsKnown(string section) => Known.Contains(section);

    public static List<string> Of(string[] arguments, IConfiguration configuration, IStartupValidator options)
    {
        List<string> faults =
        [
            .. arguments.Where(argument => argument.StartsWith("--", StringComparison.Ordinal))
                .Select(argument => argument[2..].Split('=')[0]).Where(key => !Known.Contains(key.Split(':')[0]))
                .Select(key => $"{key} is not a setting"),
            .. configuration.GetSection("ConnectionStrings").GetChildren()
                .Where(child => !child.Key.Equals("Registry", StringComparison.OrdinalIgnoreCase))
                .Select(child => $"{child.Path} is not a setting"),
        ];
        if (AddressFault(configuration["Urls"] ?? "") is { } address) faults.Add(address);
        if (ConnectionFault(configuration.GetConnectionString("Registry") ?? "") is { } connection) faults.Add(connection);
        try
        {
            options.Validate();
        }
        catch (OptionsValidationException fault)
        {
            faults.AddRange(fault.Failures);
        }
        catch (AggregateException several) when (several.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            faults.AddRange(several.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures));
        }

        return faults;
    }

    private static string? AddressFault(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                _ = BindingAddress.Parse(url);
            }
            catch (FormatException)
            {
                return $"Urls: '{url}' is not of the form http://address:port";
            }
        }

        return null;
    }

    // The fault's text names the keyword and never the value, which may hold the password.
    private static string? ConnectionFault(string text)
    {
        try
        {
            DbConnectionStringBuilder settings = new NpgsqlConnectionStringBuilder(text);
            return text.Length > 0 && settings.Count == 0 ? "ConnectionStrings:Registry has no settings" : null;
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException)
        {
            return $"ConnectionStrings:Registry: {fault.Message.Split('\n')[0]}";
        }
    }
}
