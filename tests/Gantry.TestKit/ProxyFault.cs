namespace Gantry.TestKit;

/// <summary>What a <see cref="ReverseProxy"/> does to one request instead of, or besides, forwarding it.</summary>
/// <param name="Where">At which step.</param>
/// <param name="Wait">Before that step.</param>
/// <param name="Status">Of an answer that the proxy gives itself.</param>
/// <param name="Body">The same.</param>
public sealed record ProxyFault(ProxyFaultStep Where, TimeSpan Wait = default, int Status = 0, string Body = "")
{
    /// <summary>Takes the request and never answers; ends with the client's patience.</summary>
    public static ProxyFault Hang { get; } = new(ProxyFaultStep.Nowhere, Timeout.InfiniteTimeSpan);

    /// <summary>Hangs up before anything reached the target.</summary>
    public static ProxyFault CutBefore { get; } = new(ProxyFaultStep.BeforeForwarding);

    /// <summary>Hangs up on both sides when half of the request's body has gone to the target; at once where it has none.</summary>
    public static ProxyFault CutRequest { get; } = new(ProxyFaultStep.InRequestBody);

    /// <summary>The target did what it was asked for; its answer is lost.</summary>
    public static ProxyFault LoseAnswer { get; } = new(ProxyFaultStep.AfterAnswer);

    /// <summary>Hangs up when half of the answer's body has gone to the client; at once where it has none.</summary>
    public static ProxyFault CutAnswer { get; } = new(ProxyFaultStep.InAnswerBody);

    /// <summary>Forwards, later.</summary>
    public static ProxyFault Delay(TimeSpan time) => new(ProxyFaultStep.Nowhere, time);

    /// <summary>Answers without asking the target.</summary>
    public static ProxyFault Answer(int status, string body = "") => new(ProxyFaultStep.Answered, Status: status, Body: body);

    /// <summary>An S3 server's own error, <c>SlowDown</c> (503) or <c>InternalError</c> (500) for instance.</summary>
    public static ProxyFault S3Error(int status, string code) => Answer(status,
        $"""<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message><RequestId>proxy</RequestId></Error>""");
}

/// <summary>Where a request meets its fault.</summary>
public enum ProxyFaultStep
{
    /// <summary>It is only late.</summary>
    Nowhere,
    Answered,
    BeforeForwarding,
    InRequestBody,
    AfterAnswer,
    InAnswerBody,
}
