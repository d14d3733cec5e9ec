using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Look;
using Gantry.Core.Webhooks;

namespace Gantry.Server.Api;

/// <summary>An answer that <c>limit</c> and <c>after</c> make a page of.</summary>
internal interface IPaged;

/// <summary>A page of a listing.</summary>
/// <param name="Next">The path of the next page, as the header <c>Link</c> has it; null: this is the last.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next) : IPaged;

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
        typeof(LowerWords<WebhookFormat>), typeof(Words<DeliveryState>), typeof(Words<LookState>), typeof(Words<EntryKind>),
        typeof(Words<TextKind>), typeof(Words<NodeHealth>),
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
[JsonSerializable(typeof(RepositoryReply))]
[JsonSerializable(typeof(Page<RepositoryReply>))]
[JsonSerializable(typeof(RepositoryUsageReply))]
[JsonSerializable(typeof(DeletionReply))]
[JsonSerializable(typeof(RemovedRepositoryReply))]
[JsonSerializable(typeof(RestoredRepositoryReply))]
[JsonSerializable(typeof(RepositoryRestore))]
[JsonSerializable(typeof(Page<DeletedReply>))]
[JsonSerializable(typeof(ReadmeReply))]
[JsonSerializable(typeof(ReadmeText))]
[JsonSerializable(typeof(TagReply))]
[JsonSerializable(typeof(Page<TagReply>))]
[JsonSerializable(typeof(TagPoint))]
[JsonSerializable(typeof(Page<TagMoveReply>))]
[JsonSerializable(typeof(TagRestore))]
[JsonSerializable(typeof(RestoredReply))]
[JsonSerializable(typeof(ManifestReply))]
[JsonSerializable(typeof(ReferrersReply))]
[JsonSerializable(typeof(FilesReply))]
[JsonSerializable(typeof(FileReply))]
[JsonSerializable(typeof(FileOfImageReply))]
[JsonSerializable(typeof(FileTextReply))]
[JsonSerializable(typeof(PackagesReply))]
[JsonSerializable(typeof(ComparisonReply))]
[JsonSerializable(typeof(FileChangesReply))]
[JsonSerializable(typeof(StoreUsageReply))]
[JsonSerializable(typeof(NamespaceUsageReply))]
[JsonSerializable(typeof(Page<NamespaceUsageReply>))]
[JsonSerializable(typeof(GcReply))]
[JsonSerializable(typeof(GcPreviewReply))]
[JsonSerializable(typeof(SamplesReply))]
[JsonSerializable(typeof(NodeReply))]
[JsonSerializable(typeof(Page<NodeReply>))]
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
