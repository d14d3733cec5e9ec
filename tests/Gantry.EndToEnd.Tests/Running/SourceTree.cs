using System.Reflection;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>Where this source tree is: the build writes it into the assembly.</summary>
internal static class SourceTree
{
    public static string Root { get; } = typeof(SourceTree).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
}
