using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// How every change of access is made: in one transaction with its event and its revision, and known on this node
/// before the call returns (on the others within moments).
/// </summary>
public sealed class AccessWriting(IDbContextFactory<RegistryDbContext> contexts, AccessChanges changes)
{
    /// <param name="what">The event; <see cref="Event.Namespace"/> is also the namespace whose rights change.</param>
    /// <param name="account">The account whose rights change; null: none.</param>
    /// <param name="work">
    /// Makes the change. False: there was nothing to change, and no event is written. May run again from its start.
    /// </param>
    public async Task<bool> ChangeAsync(
        Event what, Actor actor, string? account, Func<RegistryDbContext, Task<bool>> work, CancellationToken cancellationToken)
    {
        var changed = await contexts.InTransactionAsync(async db =>
        {
            if (!await work(db)) return false;
            await db.AppendEventAsync(what, actor, cancellationToken);
            // Last: it holds the counter's row until the commit.
            if (account is not null || what.Namespace is not null)
                await db.RecordChangeAsync(account, what.Namespace, cancellationToken);
            return true;
        }, cancellationToken);
        if (changed) await changes.RefreshAsync(cancellationToken);
        return changed;
    }
}
