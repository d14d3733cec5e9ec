using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Debian's docker-registry (distribution 2.8) as a process of its own on a port and a folder of its own; ended with the test.</summary>
internal sealed partial class PeerRegistry : IAsyncDisposable
{
    /// <summary>The one account of a registry with a login, and bcrypt's published hash of its password.</summary>
    public const string UserName = "tester", Password = "U*U";

    private const string Hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private PeerRegistry(Process process, DirectoryInfo folder, string host) => (_process, _folder, Host) = (process, folder, host);

    public string Host { get; }

    public static async Task<PeerRegistry> StartAsync(bool withLogin)
    {
        var folder = Directory.CreateTempSubdirectory("gantry-peer-");
        var config = Path.Combine(folder.FullName, "config.yml");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "htpasswd"), $"{UserName}:{Hash}\n");
        await File.WriteAllTextAsync(config,
            $$"""
              version: 0.1
              storage: { filesystem: { rootdirectory: {{folder.FullName}}/blobs }, delete: { enabled: true } }
              http: { addr: "127.0.0.1:0" }
              {{(withLogin ? $"auth: {{ htpasswd: {{ realm: peer, path: {folder.FullName}/htpasswd }} }}" : "")}}
              """);
        var start = new ProcessStartInfo("docker-registry", ["serve", config]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception none)
        {
            throw new InvalidOperationException("this test needs docker-registry: apt-get install docker-registry", none);
        }

        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null && Listening().Match(line.Data) is { Success: true } found) listening.TrySetResult(found.Groups[1].Value);
        }

        process.OutputDataReceived += Look;
        process.ErrorDataReceived += Look;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException("docker-registry ended at once"));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new PeerRegistry(process, folder, await listening.Task.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    [GeneratedRegex("listening on (127\\.0\\.0\\.1:[0-9]+)")]
    private static partial Regex Listening();
}
