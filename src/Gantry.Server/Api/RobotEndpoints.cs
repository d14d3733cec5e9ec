using Gantry.Core.Access;
using Gantry.Core.Data;

namespace Gantry.Server.Api;

/// <param name="Name">Its part of the whole name, <c>robot.NAMESPACE.NAME</c>: a-z, 0-9, <c>_</c> and <c>-</c>.</param>
internal sealed record NewRobot(string Name, NamespaceRole Role);

/// <param name="Disabled">True: every login of it ends at once.</param>
internal sealed record RobotChange(bool Disabled);

/// <summary>Robots go by their whole names in paths. Their access tokens are made at <c>/accounts/{account}/tokens</c>.</summary>
internal static class RobotEndpoints
{
    [EndpointSummary("The robots of a namespace, by name")]
    public static async Task<IResult> ListRobotsAsync(ApiRequest request)
    {
        var (limit, after) = (request.Limit(), request.Query("after"));
        var rows = await request.Service<Robots>().PageAsync(request.NamespaceName, after, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, AccountReply.Of, row => row.Name));
    }

    [EndpointSummary("Makes a robot, robot.NAMESPACE.NAME, with a role in its namespace")]
    public static async Task<IResult> CreateRobotAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var robot = body.Parse<AccountName>("name",
            (string text, out AccountName name) => AccountName.TryForRobot(request.NamespaceName, text, out name),
            $"must be of a-z, 0-9, '_' and '-', begin with a letter or digit, and be at most {AccountName.MaxLength} characters with robot.{request.Namespace.Name}. before it");
        var role = body.Word<NamespaceRole>("role", required: true);
        body.End();

        var robots = request.Service<Robots>();
        if (!await robots.CreateAsync(request.NamespaceName, robot, role!.Value, request.Actor, request.Aborted))
            throw ApiException.Conflict($"the name {robot} is taken");
        return request.Created($"/namespaces/{request.Namespace.Name}/robots/{robot}", await ReplyAsync(request, robot));
    }

    [EndpointSummary("One robot")]
    public static async Task<IResult> GetRobotAsync(ApiRequest request) => request.One(await ReplyAsync(request, RobotOf(request)));

    [EndpointSummary("Disables a robot, or lets it in again")]
    public static async Task<IResult> ChangeRobotAsync(ApiRequest request)
    {
        var body = await request.BodyAsync();
        var disabled = body.Flag("disabled", required: true);
        body.End();
        var robot = RobotOf(request);
        return await request.Service<Robots>().SetDisabledAsync(request.NamespaceName, robot, disabled!.Value, request.Actor, request.Aborted, Expected(request))
            ? request.Changed(await ReplyAsync(request, robot))
            : throw Missing(request);
    }

    [EndpointSummary("Deletes a robot, with its access tokens")]
    public static async Task<IResult> DeleteRobotAsync(ApiRequest request) =>
        await request.Service<Robots>().DeleteAsync(request.NamespaceName, RobotOf(request), request.Actor, request.Aborted, Expected(request))
            ? ApiRequest.NoContent()
            : throw Missing(request);

    private static async Task<AccountReply> ReplyAsync(ApiRequest request, AccountName robot) =>
        AccountReply.Of(await request.Service<Robots>().FindAsync(request.NamespaceName, robot, request.Aborted) ?? throw Missing(request));

    private static Action<AccountRow> Expected(ApiRequest request) => row => request.RequireMatch(AccountReply.Of(row));

    private static AccountName RobotOf(ApiRequest request) =>
        AccountName.TryParse(request.Route("robot"), out var robot) ? robot : throw Missing(request);

    private static ApiException Missing(ApiRequest request) =>
        ApiException.NotFound($"{request.Namespace.Name} has no robot {request.Route("robot")}; its whole name is robot.{request.Namespace.Name}.NAME");
}
