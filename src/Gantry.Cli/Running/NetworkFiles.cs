using Gantry.Engine.Bundles;

namespace Gantry.Cli.Running;

/// <summary>The files that name a container and its network, shown over the image's as docker does: hosts, hostname, and with the machine's network its resolv.conf.</summary>
internal static class NetworkFiles
{
    public static BundleOptions Add(BundleOptions options, string folder)
    {
        var etc = Directory.CreateDirectory(Path.Combine(folder, "etc")).FullName;
        File.SetUnixFileMode(etc, (UnixFileMode)0x1ED);
        var files = new List<(string Name, string Content)> { ("hostname", $"{options.HostName}\n") };
        if (options.Network == BundleNetwork.Host)
        {
            foreach (var name in (string[])["hosts", "resolv.conf"])
                if (File.Exists($"/etc/{name}")) files.Add((name, File.ReadAllText($"/etc/{name}")));
        }
        else files.Add(("hosts", $"127.0.0.1\tlocalhost {options.HostName}\n::1\tlocalhost ip6-localhost ip6-loopback\n"));

        var volumes = new List<BundleVolume>();
        foreach (var (name, content) in files.Where(file => options.Volumes.All(volume => volume.Target != $"/etc/{file.Name}")))
        {
            var path = Path.Combine(etc, name);
            File.WriteAllText(path, content);
            File.SetUnixFileMode(path, (UnixFileMode)0x1A4);
            volumes.Add(new BundleVolume(path, $"/etc/{name}"));
        }

        return options with { Volumes = [.. volumes, .. options.Volumes] };
    }
}
