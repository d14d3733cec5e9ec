using System.Reflection;

namespace Gantry.Server.Api;

/// <summary>One endpoint: what it answers to, what its caller needs, who answers.</summary>
/// <param name="Path">Below <see cref="ApiRequest.Root"/>.</param>
internal sealed record ApiRoute(string Method, string Path, ApiNeeds Needs, Func<ApiRequest, Task<IResult>> Handler)
{
    /// <summary>The type that describes the body; null: it takes none.</summary>
    public Type? Body { get; init; }

    /// <summary>The type that describes what is answered; null: nothing.</summary>
    public Type? Answer { get; init; }

    /// <summary>
    /// Whether it makes a credential, or a right as good as one: only a login without limits may, or a token for little
    /// would make itself one for everything.
    /// </summary>
    public bool GivesPower { get; init; }

    /// <summary>Whether <c>If-Match</c> counts: the change is refused where the resource is not what the caller has seen.</summary>
    public bool IsConditional { get; init; }

    /// <summary>Whether its pages begin with the newest and go on with <c>before</c>.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>Whether it may take long: a caller waits for its one before.</summary>
    public bool IsDear { get; init; }

    /// <summary>Whether it answers by <see cref="ApiRequest.One"/>: with a tag of all that it says, and 304 to who has that.</summary>
    public bool HasTag { get; init; }

    /// <summary>The most bytes of a body.</summary>
    public int MaxBody { get; init; } = ProblemRendering.MaxBodyBytes;

    /// <summary>The handler's name is the operation's: <c>getNamespace</c>.</summary>
    public string Id => char.ToLowerInvariant(Handler.Method.Name[0]) + Handler.Method.Name[1..^"Async".Length];

    /// <summary>What is answered when all goes well, where it is not what its method says; null: it is.</summary>
    public int? Success { get; init; }

    /// <summary>Whether nobody in particular may ask, where the registry lets such in; what they may see is decided then.</summary>
    public bool IsOpen => Needs is ApiNeeds.Visitor or ApiNeeds.Pull or ApiNeeds.PullBoth or ApiNeeds.Push or ApiNeeds.Removal;

    /// <summary>What is answered when all goes well.</summary>
    public int Status => Success ?? (Answer is null ? StatusCodes.Status204NoContent
        : Method == "POST" ? StatusCodes.Status201Created : StatusCodes.Status200OK);

    public bool IsPaged => typeof(IPaged).IsAssignableFrom(Answer);

    public T? Attribute<T>()
        where T : Attribute => Handler.Method.GetCustomAttribute<T>();

    public IEnumerable<QueryAttribute> Query => Handler.Method.GetCustomAttributes<QueryAttribute>();

    public static ApiRoute Get<TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("GET", path, needs, handler) { Answer = typeof(TAnswer) };

    /// <summary>One resource, which who has it need not be sent again.</summary>
    public static ApiRoute One<TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        Get<TAnswer>(path, needs, handler) with { HasTag = true };

    public static ApiRoute Post<TBody, TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("POST", path, needs, handler) { Body = typeof(TBody), Answer = typeof(TAnswer) };

    /// <summary>One that takes no body.</summary>
    public static ApiRoute Post<TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("POST", path, needs, handler) { Answer = typeof(TAnswer) };

    public static ApiRoute Put<TBody>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("PUT", path, needs, handler) { Body = typeof(TBody) };

    /// <summary>One that answers with what is there then.</summary>
    public static ApiRoute Put<TBody, TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("PUT", path, needs, handler) { Body = typeof(TBody), Answer = typeof(TAnswer), Success = StatusCodes.Status200OK };

    public static ApiRoute Patch<TBody, TAnswer>(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("PATCH", path, needs, handler) { Body = typeof(TBody), Answer = typeof(TAnswer) };

    public static ApiRoute Delete(string path, ApiNeeds needs, Func<ApiRequest, Task<IResult>> handler) =>
        new("DELETE", path, needs, handler);
}

/// <summary>A parameter of the query, besides those of a page.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class QueryAttribute(string name, string description) : Attribute
{
    public string Name => name;

    public string Description => description;

    public bool Required { get; init; }

    /// <summary>The values there are; empty: any.</summary>
    public string[] Values { get; init; } = [];
}
