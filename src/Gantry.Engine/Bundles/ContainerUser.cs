namespace Gantry.Engine.Bundles;

/// <summary>Who a container's first process is.</summary>
/// <param name="AdditionalGids">Always with <paramref name="Gid"/>: a group list without it would open what is closed to that group (CVE-2023-25173).</param>
/// <param name="Home">Null where the image's passwd does not have one.</param>
public sealed record ContainerUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids, string? Home);
