using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Gantry.Core;

/// <summary>
/// Fills an options class from its section. A value of the wrong kind and a setting that does not exist are faults like
/// any other: all of them are reported, with those of the sections beside it, and not the first alone.
/// </summary>
internal sealed class SettingsBinding<TOptions>(IConfigurationSection section)
    : IConfigureOptions<TOptions>, IValidateOptions<TOptions>
    where TOptions : class
{
    private readonly List<string> _faults = [];

    public void Configure(TOptions options)
    {
        // The binder stops at the first fault, so each value is tried alone.
        _faults.Clear();
        var sound = new List<KeyValuePair<string, string?>>();
        foreach (var setting in section.AsEnumerable().Where(setting => setting.Value is not null))
        {
            if (FaultOf(setting) is { } fault) _faults.Add(fault);
            else sound.Add(setting);
        }

        (_faults.Count == 0 ? section : Only(sound)).Bind(options);
    }

    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        var broken = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), broken, validateAllProperties: true);
        var all = _faults.Concat(broken.Select(fault => fault.ErrorMessage!)).ToList();
        return all.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(all);
    }

    private string? FaultOf(KeyValuePair<string, string?> setting)
    {
        var alone = Only([setting]);
        try
        {
            alone.Get<TOptions>();
        }
        catch (InvalidOperationException fault)
        {
            return fault.Message;
        }

        try
        {
            alone.Get<TOptions>(binder => binder.ErrorOnUnknownConfiguration = true);
            return null;
        }
        catch (InvalidOperationException)
        {
            return $"{setting.Key} is not a setting";
        }
    }

    private IConfigurationSection Only(IEnumerable<KeyValuePair<string, string?>> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection(section.Path);
}
