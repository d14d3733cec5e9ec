using System.ComponentModel.DataAnnotations;
using Gantry.Core.Access;

namespace Gantry.Core.Webhooks;

/// <summary>Section <c>Webhooks</c>: where deliveries may go, and how often they are tried.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    public const string Section = "Webhooks";

    /// <summary>Whether this node sends. Off: other nodes do.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether a target may be <c>http://</c>. Off: https alone.</summary>
    public bool AllowHttp { get; set; } = true;

    /// <summary>Addresses or networks (<c>10.1.0.0/16</c>) that deliveries may go to although they are not public. Empty: none.</summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Public ones that they may not go to; stronger than <see cref="AllowedNetworks"/>.</summary>
    public IList<string> RefusedNetworks { get; init; } = [];

    /// <summary>
    /// A proxy for all deliveries, <c>http://proxy.example:3128</c>. It looks the targets' names up, so it has to refuse private
    /// addresses itself. Empty: none, whatever the environment says.
    /// </summary>
    public string Proxy { get; set; } = "";

    /// <summary>A file of PEM certificates that alone vouch for https targets. Empty: the system's authorities.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>How long one try may take, from the name's lookup to the answer's status. 1 second to 1 minute.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after a failed first try comes the second; each later wait is twice the one before. 1 second to 1 hour.</summary>
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest wait between two tries. Up to 1 day, and no less than the first.</summary>
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromHours(4);

    /// <summary>How long a delivery is tried. 1 minute to 30 days.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(3);

    /// <summary>After how long without a success a webhook counts as failing, which an event tells. 1 minute to 30 days.</summary>
    public TimeSpan FailingAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long deliveries are kept to be read and sent again. 1 hour to 3,650 days.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var text in AllowedNetworks.Where(text => NetworkList.Parse(text) is null))
            yield return new($"Webhooks:AllowedNetworks: '{text}' is neither an address nor a network");
        foreach (var text in RefusedNetworks.Where(text => NetworkList.Parse(text) is null))
            yield return new($"Webhooks:RefusedNetworks: '{text}' is neither an address nor a network");
        // Not shown: it may hold a password.
        if (Proxy.Length > 0 && !(Uri.TryCreate(Proxy, UriKind.Absolute, out var proxy) && proxy.Scheme is "http" or "https" or "socks5"))
            yield return new("Webhooks:Proxy must be like http://proxy.example:3128");
        if (CaFile.Length > 0 && AuthorityFile.FaultOf(CaFile) is { } fault) yield return new($"Webhooks:CaFile '{CaFile}' {fault}");
        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromMinutes(1)) yield return new("Webhooks:Timeout must be from 00:00:01 to 00:01:00");
        if (FirstRetry < TimeSpan.FromSeconds(1) || FirstRetry > TimeSpan.FromHours(1))
            yield return new("Webhooks:FirstRetry must be from 00:00:01 to 01:00:00");
        if (LongestRetry < FirstRetry || LongestRetry > TimeSpan.FromDays(1))
            yield return new("Webhooks:LongestRetry must be from Webhooks:FirstRetry to 1.00:00:00");
        if (GiveUpAfter < TimeSpan.FromMinutes(1) || GiveUpAfter > TimeSpan.FromDays(30))
            yield return new("Webhooks:GiveUpAfter must be from 00:01:00 to 30.00:00:00");
        if (FailingAfter < TimeSpan.FromMinutes(1) || FailingAfter > TimeSpan.FromDays(30))
            yield return new("Webhooks:FailingAfter must be from 00:01:00 to 30.00:00:00");
        if (Retention < TimeSpan.FromHours(1) || Retention > TimeSpan.FromDays(3650))
            yield return new("Webhooks:Retention must be from 01:00:00 to 3650.00:00:00");
    }
}
