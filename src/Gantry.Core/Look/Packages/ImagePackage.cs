namespace Gantry.Core.Look;

/// <summary>A package that is installed in an image, as the list of its manager says.</summary>
/// <param name="Manager"><c>dpkg</c>, <c>apk</c> or <c>rpm</c>.</param>
/// <param name="Name">Of the package.</param>
/// <param name="Version">For rpm with the release, and the epoch where it has one.</param>
/// <param name="Architecture">Null where the list does not say.</param>
public sealed record ImagePackage(string Manager, string Name, string Version, string? Architecture);
