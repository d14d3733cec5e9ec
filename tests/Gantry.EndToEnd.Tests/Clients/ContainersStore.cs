using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>What podman and buildah share: an image store in a folder of its own, and almost the same commands.</summary>
internal abstract class ContainersStore(ClientHome home, string name, string version, params string[] options) : IImageClient
{
    public string Version => version;

    /// <summary>The program with its store: podman or buildah.</summary>
    public Command Tool { get; } = new(name, ["--root", home.At($"{name}/root"), "--runroot", home.At($"{name}/run"), .. options])
    {
        Environment = home.Environment,
    };

    protected ClientHome Home => home;

    public async Task LoadAsync(ImageSet images, string name, string reference)
    {
        var id = (await Tool.RunAsync("pull", "-q", images.Layout(name))).Output.Trim();
        await Tool.RunAsync("tag", id, reference);
    }

    public Task<string> PushAsync(string reference) => PushAsync(reference, []);

    /// <summary>Pushes with further options, e.g. another compression.</summary>
    public async Task<string> PushAsync(string reference, params string[] more)
    {
        var file = home.At($"tmp/digest-{Guid.NewGuid():N}");
        await Tool.RunAsync(["push", .. more, "--digestfile", file, reference]);
        return (await File.ReadAllTextAsync(file)).Trim();
    }

    public async Task<string> PullAsync(string reference)
    {
        await Tool.RunAsync("pull", "-q", reference);
        return await DigestAsync(reference);
    }

    public abstract Task<string> RunAsync(string reference, params string[] command);

    public virtual async Task WipeAsync() => await Tool.RunAsync("rmi", "--all", "--force");

    public async ValueTask DisposeAsync()
    {
        await WipeAsync();
        await new Command("umount").TryAsync("--lazy", home.At($"{name}/root/overlay"));
        GC.SuppressFinalize(this);
    }

    protected abstract Task<string> DigestAsync(string reference);
}
