using Gantry.Core.Access;

namespace Gantry.Server.Api;

/// <summary>Tokens of an issuer with these claims stand for a robot.</summary>
/// <param name="Claims">A pattern for each claim, with <c>*</c> for any characters; all must match.</param>
internal sealed record TrustReply(
    long Id, string Robot, string Issuer, IReadOnlyDictionary<string, string> Claims, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt)
{
    public static TrustReply Of(Trust trust) =>
        new(trust.Id, trust.Account.ToString(), trust.Issuer, trust.Claims.Patterns, trust.Scopes, trust.CreatedAt);
}

/// <param name="Robot">Its whole name, <c>robot.NAMESPACE.NAME</c>.</param>
/// <param name="Issuer">Its name in the configuration, <c>Keyless:Issuers</c>.</param>
/// <param name="Claims">A pattern for each claim, with <c>*</c> for any characters: <c>"repository": "acme/app"</c>.</param>
/// <param name="Scopes">The most that such a login may do, as an access token's.</param>
internal sealed record NewTrust(
    string Robot, string Issuer, IReadOnlyDictionary<string, string> Claims, IReadOnlyList<string> Scopes);

internal static class TrustEndpoints
{
    [EndpointSummary("Whose tokens stand for robots of a namespace, in the order it was said")]
    public static async Task<IResult> ListTrustsAsync(ApiRequest request)
    {
        var trusts = await request.Service<Trusts>().ListOfNamespaceAsync(request.Namespace.Name, request.Aborted);
        return request.Ok(request.PageOf(trusts, TrustReply.Of, trust => trust.Id));
    }

    [EndpointSummary("Lets tokens of an issuer with some claims stand for a robot")]
    public static async Task<IResult> AddTrustAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var robot = body.Parse<AccountName>("robot", AccountName.TryParse, "is not the name of a robot");
        var issuer = body.Text("issuer", 200, required: true);
        var patterns = body.TextMap("claims");
        ClaimRules? claims = null;
        if (patterns is not null && !ClaimRules.TryParse(patterns, out claims, out var fault)) body.Fault("claims", $"are refused: {fault}");
        var scopes = body.Texts("scopes", AccessLimit.MaxScopes);
        AccessLimit? limit = null;
        if (scopes.Count > 0 && !AccessLimit.TryParse(scopes, out limit, out var refused)) body.Fault("scopes", $"are refused: {refused}");
        body.End();

        if (await request.Service<Robots>().FindAsync(request.NamespaceName, robot, request.Aborted) is null)
            throw ApiException.NotFound($"{request.Namespace.Name} has no robot {robot}");
        try
        {
            var trust = await request.Service<Trusts>().AddAsync(robot, issuer!, claims!, limit!, request.Actor, request.Aborted)
                ?? throw ApiException.NotFound($"the robot {robot} is gone");
            return request.Created($"/namespaces/{request.Namespace.Name}/trusts/{trust.Id}", TrustReply.Of(trust));
        }
        catch (ArgumentException e) when (e.ParamName == "issuer")
        {
            throw ApiException.BadRequest("issuer", "is not one of those that are configured (Keyless:Issuers)");
        }
    }

    [EndpointSummary("Ends a trust, and every login made by it, at once")]
    public static async Task<IResult> RemoveTrustAsync(ApiRequest request)
    {
        var trusts = request.Service<Trusts>();
        var trust = (await trusts.ListOfNamespaceAsync(request.Namespace.Name, request.Aborted)).FirstOrDefault(trust => trust.Id == request.RouteId);
        return trust is not null && await trusts.RemoveAsync(trust.Account, trust.Id, request.Actor, request.Aborted)
            ? ApiRequest.NoContent()
            : throw ApiException.NotFound($"{request.Namespace.Name} has no trust {request.Route("id")}");
    }
}
