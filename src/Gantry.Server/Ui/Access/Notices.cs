using System.Text.Json.Serialization;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.DataProtection;

namespace Gantry.Server.Ui;

/// <summary>
/// What a form did, told by the page it leads to: a sealed cookie of a minute, so that any node may show it and no link can put
/// words into a page.
/// </summary>
internal sealed class Notices(IDataProtectionProvider protection)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly SealedCookie<Notice> _cookie =
        new("gantry_notice", protection.CreateProtector("Gantry.Notice.v1"), UiJson.Default.Notice);

    public void Leave(Visit visit, string text) => _cookie.TryWrite(visit.Http, visit.RootAddress, new Notice(text), Lifetime);

    public string? Take(Visit visit)
    {
        if (visit.Http.Request.Cookies["gantry_notice"] is null) return null;
        var notice = _cookie.Read(visit.Http);
        _cookie.Delete(visit.Http, visit.RootAddress);
        return notice?.Text;
    }
}

internal sealed record Notice([property: JsonPropertyName("t")] string Text);

[JsonSerializable(typeof(Notice))]
[JsonSerializable(typeof(ExportedEvent))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class UiJson : JsonSerializerContext;
