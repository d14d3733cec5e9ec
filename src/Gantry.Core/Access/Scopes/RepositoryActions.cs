namespace Gantry.Core.Access;

/// <summary>What can be done with a repository; the words of Docker's token specification.</summary>
[Flags]
public enum RepositoryActions
{
    None = 0,
    Pull = 1,
    Push = 2,
    Delete = 4,
    All = Pull | Push | Delete,
}
