namespace Gantry.Core.Data;

internal static class PeriodicTicks
{
    /// <summary>Waits for the next tick; false, not an exception, once cancelled.</summary>
    public static async ValueTask<bool> NextTickAsync(this PeriodicTimer timer, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
