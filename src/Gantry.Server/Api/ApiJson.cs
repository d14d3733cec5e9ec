using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Core.Webhooks;

namespace Gantry.Server.Api;

/// <summary>A page of a listing.</summary>
/// <param name="Next">The path of the next page, as the header <c>Link</c> has it; null: this is the last.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Names of enumerations in JSON: <c>maintainer</c>, <c>accessToken</c>.</summary>
internal sealed class Words<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>The same in one lowercase word, as <see cref="BodyFields.Word"/> reads it: <c>cloudevents</c>.</summary>
internal sealed class LowerWords<T>() : JsonStringEnumConverter<T>(new LowerCase(), allowIntegerValues: false)
    where T : struct, Enum
{
    private sealed class LowerCase : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters =
    [
        typeof(Words<Visibility>), typeof(Words<NamespaceRole>), typeof(Words<AccountKind>), typeof(Words<LoginMethod>),
        typeof(LowerWords<WebhookFormat>), typeof(Words<DeliveryState>),
    ])]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(MeReply))]
[JsonSerializable(typeof(NamespaceReply))]
[JsonSerializable(typeof(Page<NamespaceReply>))]
[JsonSerializable(typeof(Page<MemberReply>))]
[JsonSerializable(typeof(RuleReply))]
[JsonSerializable(typeof(Page<RuleReply>))]
[JsonSerializable(typeof(AccountReply))]
[JsonSerializable(typeof(Page<AccountReply>))]
[JsonSerializable(typeof(GeneratedPassword))]
[JsonSerializable(typeof(Page<AccessTokenReply>))]
[JsonSerializable(typeof(MadeAccessToken))]
[JsonSerializable(typeof(ExplanationReply))]
[JsonSerializable(typeof(Page<EventReply>))]
[JsonSerializable(typeof(TrustReply))]
[JsonSerializable(typeof(Page<TrustReply>))]
[JsonSerializable(typeof(WebhookReply))]
[JsonSerializable(typeof(MadeWebhookReply))]
[JsonSerializable(typeof(Page<WebhookReply>))]
[JsonSerializable(typeof(DeliveryReply))]
[JsonSerializable(typeof(Page<DeliveryReply>))]
[JsonSerializable(typeof(WholeDeliveryReply))]
[JsonSerializable(typeof(NewWebhook))]
[JsonSerializable(typeof(WebhookChange))]
[JsonSerializable(typeof(NewTrust))]
[JsonSerializable(typeof(NewNamespace))]
[JsonSerializable(typeof(NamespaceChange))]
[JsonSerializable(typeof(MemberChange))]
[JsonSerializable(typeof(NewRule))]
[JsonSerializable(typeof(NewRobot))]
[JsonSerializable(typeof(RobotChange))]
[JsonSerializable(typeof(NewAccount))]
[JsonSerializable(typeof(AccountChange))]
[JsonSerializable(typeof(NewPassword))]
[JsonSerializable(typeof(NewAccessToken))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    private static readonly Lazy<ApiJson> Relaxed = new(() =>
        new(new JsonSerializerOptions(Default!.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    /// <summary>For the wire, where an apostrophe may stay one: no answer is ever part of a page.</summary>
    public static ApiJson Wire => Relaxed.Value;
}
