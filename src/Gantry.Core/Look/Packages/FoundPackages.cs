namespace Gantry.Core.Look.Packages;

/// <summary>The packages of one list: those that are sound, as many as the layer has room for. What is neither is not kept for a moment.</summary>
internal sealed class FoundPackages(PackageRoom room)
{
    public List<ImagePackage> Packages { get; } = [];

    /// <summary>Why there are no more; null where nothing was left out for want of room.</summary>
    public string? Fault { get; private set; }

    /// <summary>False: no more of this list are taken.</summary>
    public bool Add(ImagePackage package)
    {
        if (Fault is not null) return false;
        if (!IsSound(package)) return true;
        Fault = room.Take(package.Name.Length + package.Version.Length + (package.Architecture?.Length ?? 0));
        if (Fault is not null) return false;
        Packages.Add(package);
        return true;
    }

    /// <summary>Names of packages are printable; what is not comes from no package manager.</summary>
    private static bool IsSound(ImagePackage package) => package.Name.Length > 0
        && IsText(package.Name) && IsText(package.Version) && IsText(package.Architecture ?? "");

    private static bool IsText(string text) => text.Length <= PackageReading.MaxText && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}

/// <summary>What all lists of a layer may have together; bounds the row, and the memory to some 40 MiB.</summary>
internal sealed class PackageRoom
{
    public const int MaxPackages = 100_000, MaxCharacters = 8 << 20;

    private int _packages, _characters;

    /// <summary>Null; or why there is no room for another package of so many characters.</summary>
    public string? Take(int characters)
    {
        if (_packages == MaxPackages) return $"more than {MaxPackages} packages in a layer";
        if (characters > MaxCharacters - _characters) return $"more than {MaxCharacters} characters of packages in a layer";
        _packages++;
        _characters += characters;
        return null;
    }
}
