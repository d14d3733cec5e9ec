namespace Gantry.Engine.Posix;

/// <summary>The error numbers that the engine tells apart, as Linux has them on x64 and arm64.</summary>
internal static class Errno
{
    public const int NotPermitted = 1, NoEntry = 2, Interrupted = 4, NoDevice = 6, TryAgain = 11, AccessDenied = 13, Exists = 17, CrossDevice = 18;
    public const int NotDirectory = 20, IsDirectory = 21, Invalid = 22, TooManyLinks = 31, Range = 34, NameTooLong = 36, NoSystemCall = 38;
    public const int NotEmpty = 39, Loop = 40, NoData = 61, NotSupported = 95;
}
