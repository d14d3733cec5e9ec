using Gantry.Engine.Content;

namespace Gantry.Engine;

/// <summary>What this machine refuses while the store works, as the engine's own exception: callers know one.</summary>
internal static class LocalFaults
{
    public static T AsEngine<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or StaleContentException)
        {
            throw Of(fault);
        }
    }

    public static void AsEngine(Action run) => AsEngine(() =>
    {
        run();
        return true;
    });

    public static async Task<T> AsEngineAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or StaleContentException)
        {
            throw Of(fault);
        }
    }

    public static Task AsEngineAsync(Func<Task> run) => AsEngineAsync(async () =>
    {
        await run();
        return true;
    });

    /// <summary>Content that is wrong twice over, each time out of an earlier run, has somebody else writing into it.</summary>
    private static EngineException Of(Exception fault) => fault is StaleContentException ? new EngineException(EngineFault.Mismatch, fault.Message, fault) : new(EngineFault.Local, fault.Message, fault);
}
