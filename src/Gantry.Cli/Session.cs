using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Credentials;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Cli;

/// <summary>One run of a command: what the global options make of the store, the registries and the screen.</summary>
internal sealed class Session(ParseResult parsed, Screen screen) : IDisposable
{
    private readonly List<IDisposable> _opened = [];
    private readonly HashSet<string> _warnings = new(StringComparer.Ordinal);
    private IProgressView? _progress;

    public ParseResult Parsed => parsed;

    public Screen Screen => screen;

    public TimeProvider Time { get; } = TimeProvider.System;

    public bool IsJson => parsed.GetValue(GlobalOptions.Json);

    public bool IsQuiet => parsed.GetValue(GlobalOptions.Quiet);

    public ImagePlatform? Platform => GlobalOptions.PlatformOf(parsed);

    public PullOptions PullOptions => new() { Platform = Platform };

    /// <summary>Bars on a terminal, lines elsewhere, objects for programs, nothing if that is wanted. Ends with <see cref="EndProgress"/> or the session.</summary>
    public IProgressView Progress => _progress ??= IsJson ? new JsonProgress(screen, Time)
        : IsQuiet ? new NoProgress()
        : screen.AreNotesOnTerminal ? new BarProgress(screen, Time) : new PlainProgress(screen);

    public CredentialFiles Credentials => CredentialFiles.FromEnvironment(Environment.GetEnvironmentVariable, parsed.GetValue(GlobalOptions.AuthFile), Time);

    public Task<ImageStore> OpenStoreAsync(CancellationToken ct) => ImageStore.OpenAsync(parsed.GetValue(GlobalOptions.Root)!, ct);

    public RemoteRegistries OpenRegistries()
    {
        var registries = new RemoteRegistries(new RemoteOptions
        {
            PlainHttp = parsed.GetValue(GlobalOptions.PlainHttp),
            CaFile = parsed.GetValue(GlobalOptions.TlsCa),
            SkipVerify = parsed.GetValue(GlobalOptions.TlsSkipVerify),
            Registries = RegistriesFile.Read(RegistriesFile.UsualPaths(Environment.GetEnvironmentVariable)),
            Credentials = Credentials,
            Notes = note => Progress.Say(note),
            Time = Time,
        });
        _opened.Add(registries);
        return registries;
    }

    /// <summary>The bars are drawn a last time; what is said afterwards comes below them.</summary>
    public void EndProgress()
    {
        _progress?.Dispose();
        _progress = null;
    }

    /// <summary>Once, however many layers give occasion to it.</summary>
    public void Warn(string sentence)
    {
        if (!_warnings.Add(sentence)) return;
        if (IsJson) screen.Result(CliJson.Line(new NoteLine("warning", sentence)));
        else screen.Note($"gantry: warning: {sentence}");
    }

    public void Dispose()
    {
        EndProgress();
        foreach (var each in _opened) each.Dispose();
    }
}
