using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Webhooks;

public static class WebhookServices
{
    /// <summary>Wants the services of access beside it, whose key seals the secrets.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<WebhookOptions>(configuration, WebhookOptions.Section);
        services.TryAddSingleton(of => new WebhookSource(configuration["Server:PublicUrl"] ?? "", of.GetRequiredService<NodePresence>()));
        services.AddSingleton(of => new WebhookSecrets(of.GetRequiredService<KeyEncryption>()));
        services.AddSingleton<TargetAddresses>().AddSingleton(of => new TargetDialer(
            of.GetRequiredService<TargetAddresses>(), of.GetRequiredService<TimeProvider>()));
        services.AddSingleton<WebhookHttp>();
        services.AddSingleton(of => new WebhookList(
            of.GetRequiredService<IDbContextFactory<RegistryDbContext>>(), of.GetRequiredService<WebhookSecrets>(), of.GetRequiredService<WebhookHttp>()));
        services.AddSingleton<WebhookDeliveries>();
        services.AddSingleton<IEventFollower, WebhookFollower>();
        services.AddSingleton<RetryTimes>().AddSingleton<DeliveryClaims>().AddSingleton<DeliveryOutcomes>();
        services.AddSingleton(of => new WebhookSender(
            of.GetRequiredService<DeliveryClaims>(), of.GetRequiredService<DeliveryOutcomes>(), of.GetRequiredService<WebhookHttp>(),
            of.GetRequiredService<TimeProvider>(), of.GetRequiredService<ILogger<WebhookSender>>()));
        return services;
    }
}
