using System.Globalization;
using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>
/// What this process may do in a directory, found out by trying: root of a user namespace is not root of the machine. The privileged use overlayfs's
/// <c>trusted.overlay.</c> attributes, the others <c>user.overlay.</c>
/// </summary>
internal sealed record Privileges(bool IsPrivileged, uint User, uint Group, uint Umask)
{
    public static bool IsSuperuser => Libc.EffectiveUser() == 0;

    public ReadOnlySpan<byte> OverlayPrefix => IsPrivileged ? "trusted.overlay."u8 : "user.overlay."u8;

    public ReadOnlySpan<byte> OpaqueAttribute => IsPrivileged ? "trusted.overlay.opaque"u8 : "user.overlay.opaque"u8;

    public static Privileges In(int directory)
    {
        var probe = Kernel.SetAttribute(directory, "trusted.gantry.probe"u8, "y"u8);
        if (probe == 0) Kernel.RemoveAttribute(directory, "trusted.gantry.probe"u8);
        var isPrivileged = IsSuperuser && probe is 0 or -Errno.NotSupported;
        return new Privileges(isPrivileged, Libc.EffectiveUser(), Libc.EffectiveGroup(), ReadUmask());
    }

    /// <summary>Asking by umask(2) would change it for the whole process. Where /proc does not say, every mode is set explicitly.</summary>
    private static uint ReadUmask()
    {
        const string label = "Umask:";
        foreach (var line in File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status") : [])
        {
            if (line.StartsWith(label, StringComparison.Ordinal)) return Octal(line.AsSpan(label.Length).Trim());
        }

        return 0x1FF; // 0777
    }

    private static uint Octal(ReadOnlySpan<char> digits)
    {
        uint value = 0;
        foreach (var digit in digits) value = (value * 8) + uint.Parse([digit], CultureInfo.InvariantCulture);
        return value;
    }
}
