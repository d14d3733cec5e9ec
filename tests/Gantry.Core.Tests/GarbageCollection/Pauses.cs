using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>A flow that waits before one of its statements, with the locks that it has by then.</summary>
internal sealed class Pause
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes once a flow waits.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Release() => _released.TrySetResult();

    internal Task WaitAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}

/// <summary>Stops the first flow that is about to send a certain statement, so that a test can put another one in between.</summary>
internal sealed class Pauses
{
    private const string Commit = "COMMIT";
    private (string Text, Pause Pause)? _next;

    public Pauses()
    {
        Commands = new CommandPauses(this);
        Commits = new CommitPauses(this);
    }

    public IInterceptor Commands { get; }

    public IInterceptor Commits { get; }

    /// <summary>Where set, it gets the plan of every statement that is sent.</summary>
    public List<string>? Plans { get; set; }

    /// <param name="text">Part of the statement.</param>
    public Pause Before(string text)
    {
        var pause = new Pause();
        lock (this) _next = (text, pause);
        return pause;
    }

    public Pause BeforeCommit() => Before(Commit);

    private Task MeetAsync(string statement)
    {
        Pause? met = null;
        lock (this)
        {
            if (_next is { } next && statement.Contains(next.Text, StringComparison.Ordinal)) (met, _next) = (next.Pause, null);
        }

        return met?.WaitAsync() ?? Task.CompletedTask;
    }

    private async Task ExplainAsync(DbCommand command)
    {
        if (Plans is null) return;
        await using var explain = command.Connection!.CreateCommand();
        explain.Transaction = command.Transaction;
#pragma warning disable CA2100 // what is sent next anyway
        explain.CommandText = $"EXPLAIN {command.CommandText}";
#pragma warning restore CA2100
        foreach (Npgsql.NpgsqlParameter parameter in command.Parameters) explain.Parameters.Add(parameter.Clone());
        await using var rows = await explain.ExecuteReaderAsync();
        var plan = new List<string> { command.CommandText };
        while (await rows.ReadAsync()) plan.Add(rows.GetString(0));
        Plans.Add(string.Join('\n', plan));
    }

    private sealed class CommandPauses(Pauses pauses) : DbCommandInterceptor
    {
        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData,
            InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            await pauses.ExplainAsync(command);
            await pauses.MeetAsync(command.CommandText);
            return result;
        }

        public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData,
            InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            await pauses.ExplainAsync(command);
            await pauses.MeetAsync(command.CommandText);
            return result;
        }
    }

    private sealed class CommitPauses(Pauses pauses) : DbTransactionInterceptor
    {
        public override async ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction,
            TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            await pauses.MeetAsync(Commit);
            return result;
        }
    }
}
