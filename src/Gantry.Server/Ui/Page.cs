using Gantry.Oci;
using Microsoft.AspNetCore.Components;

namespace Gantry.Server.Ui;

/// <summary>
/// What every page is made of. Made anew for each request: it reads what it shows in <see cref="ReadAsync"/>; a form of it then runs
/// its handler, which ends with <see cref="Visit.See"/>, or leaves what is wrong to be shown beside what was typed.
/// </summary>
public abstract class Page : ComponentBase
{
    private bool _isRead;

    [CascadingParameter] public HttpContext Http { get; set; } = default!;

    protected Visit Visit => Visit.Of(Http);

    protected CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Why what a form asked for was not done; null: it was, or nothing was asked.</summary>
    protected string? Refusal { get; private set; }

    /// <summary>Waits for what is to be shown before anything is: a component would be rendered without it first.</summary>
    public override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        if (!_isRead) await ReadAsync();
        _isRead = true;
        await base.SetParametersAsync(ParameterView.Empty);
    }

    /// <summary>Reads what the page shows. The visitor may see it: <see cref="PageGuard"/> has asked.</summary>
    protected virtual Task ReadAsync() => Task.CompletedTask;

    protected T Service<T>()
        where T : notnull => Visit.Service<T>();

    /// <summary>Shows the page again with what is wrong.</summary>
    /// <param name="status">400: something that was typed, which needs no request's id to be told about.</param>
    protected void Refuse(string why, int status = StatusCodes.Status400BadRequest)
    {
        Refusal = why;
        Visit.RefusedWith = status;
        Answer(status);
    }

    /// <summary>
    /// Shows the page, with this status. It is set as the answer begins: what has 404 before is not shown at all, for the framework has a page of its own for that.
    /// </summary>
    protected void Answer(int status) => Http.Response.OnStarting(() =>
    {
        Http.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    /// <summary>Does what a form asked for; a broken rule is told on the page, and that it cannot be done now, so that what was typed is not lost.</summary>
    protected async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OciException broken) when (broken.Status is 400 or 404 or 409 or 429 or 503)
        {
            if (broken.RetryAfterSeconds is { } seconds) Http.Response.Headers.RetryAfter = $"{seconds}";
            Refuse($"{char.ToUpperInvariant(broken.Message[0])}{broken.Message[1..]}.", broken.Status);
        }
    }
}
