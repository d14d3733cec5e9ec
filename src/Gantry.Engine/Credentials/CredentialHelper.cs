using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Gantry.Engine.Remote;

namespace Gantry.Engine.Credentials;

/// <summary>
/// A program called <c>docker-credential-NAME</c>: a verb as its one argument, the rest on its input, its answer as JSON on its output.
/// Started without a shell, found in the absolute folders of <c>PATH</c> alone, ended after <see cref="Patience"/>.
/// </summary>
internal sealed class CredentialHelper
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int MaxOutput = 64 * 1024;
    private readonly TimeProvider _time;
    private readonly string _program, _file;

    /// <exception cref="EngineException"><see cref="EngineFault.Usage"/>: its name is none, or there is no such program.</exception>
    public CredentialHelper(string name, string? searchPath, TimeProvider time)
    {
        if (name.Length > 100 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new EngineException(EngineFault.Usage, $"'{RemoteText.Shown(name, 100)}' is not the name of a credential helper");
        (_program, _time) = ($"docker-credential-{name}", time);
        _file = (searchPath ?? "").Split(':').Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, _program)).FirstOrDefault(IsProgram)
            ?? throw new EngineException(EngineFault.Usage, $"the credential helper {_program} is not in PATH");
    }

    /// <summary>Null where it has none for this server.</summary>
    public async Task<Credential?> GetAsync(string server, CancellationToken cancellationToken)
    {
        var (exit, output) = await RunAsync("get", server, cancellationToken);
        if (exit != 0) return SaysNone(output) ? null : throw Failed("get", exit);
        try
        {
            using var json = JsonDocument.Parse(output, new JsonDocumentOptions { MaxDepth = 8 });
            var (user, secret) = (json.RootElement.GetProperty("Username").GetString() ?? "", json.RootElement.GetProperty("Secret").GetString() ?? "");
            return secret.Length == 0 ? null : user == "<token>" ? Credential.OfIdentityToken(secret) : Credential.OfPassword(user, secret);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // Without the exception, which may show a piece of what was answered.
            throw new EngineException(EngineFault.Local, $"{_program} answers with something that is no credential");
        }
    }

    public async Task StoreAsync(string server, Credential credential, CancellationToken cancellationToken)
    {
        using var input = new MemoryStream();
        using (var writer = new Utf8JsonWriter(input))
        {
            writer.WriteStartObject();
            writer.WriteString("ServerURL", server);
            writer.WriteString("Username", credential.IdentityToken is null ? credential.UserName : "<token>");
            writer.WriteString("Secret", credential.IdentityToken ?? credential.Password);
            writer.WriteEndObject();
        }

        var (exit, _) = await RunAsync("store", Encoding.UTF8.GetString(input.GetBuffer(), 0, (int)input.Length), cancellationToken);
        if (exit != 0) throw Failed("store", exit);
    }

    /// <summary>False where it had none.</summary>
    public async Task<bool> EraseAsync(string server, CancellationToken cancellationToken)
    {
        var (exit, output) = await RunAsync("erase", server, cancellationToken);
        return exit == 0 || (SaysNone(output) ? false : throw Failed("erase", exit));
    }

    private static bool IsProgram(string file) =>
        File.Exists(file) && (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != UnixFileMode.None;

    /// <summary>The sentence that the protocol has for it, on the output.</summary>
    private static bool SaysNone(byte[] output) => Encoding.UTF8.GetString(output).Contains("credentials not found", StringComparison.OrdinalIgnoreCase);

    private EngineException Failed(string verb, int exit) => new(EngineFault.Local, $"{_program} {verb} failed with exit code {exit}; run it by hand to see why");

    private async Task<(int Exit, byte[] Output)> RunAsync(string verb, string input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(_file, [verb])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var late = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var process = Start(start);
        try
        {
            var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, either.Token);
            var output = ReadAsync(process.StandardOutput.BaseStream, either.Token);
            await WriteAsync(process.StandardInput, input, either.Token);
            var answer = await output;
            await errors;
            await process.WaitForExitAsync(either.Token);
            return (process.ExitCode, answer);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFault.Local, $"{_program} {verb} does not end, it was stopped after {Patience.TotalSeconds:0} seconds");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception failed)
        {
            throw new EngineException(EngineFault.Local, $"{_program} cannot be started: {failed.Message}", failed);
        }
    }

    private static async Task WriteAsync(StreamWriter to, string input, CancellationToken cancellationToken)
    {
        try
        {
            await to.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(input), cancellationToken);
            to.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code says more.
        }
    }

    private async Task<byte[]> ReadAsync(Stream from, CancellationToken cancellationToken)
    {
        using var read = new MemoryStream();
        var buffer = new byte[4096];
        while (await from.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (read.Length + count > MaxOutput) throw new EngineException(EngineFault.Local, $"{_program} answers with more than {MaxOutput} bytes");
            read.Write(buffer, 0, count);
        }

        return read.ToArray();
    }
}
