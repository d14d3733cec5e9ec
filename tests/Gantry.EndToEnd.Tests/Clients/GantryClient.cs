using System.Text.Json;
using Gantry.EndToEnd.Tests.Engine;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>
/// The house's own client, driven as all others are: the command, its store in the client's folder. Images of the store are
/// pushed by way of a layout, as its help says.
/// </summary>
internal sealed class GantryClient : IImageClient
{
    /// <summary>Exit codes: other credentials are wanted; the network or the registry is away.</summary>
    public const int Denied = 4, Away = 5;

    private readonly ClientHome home;

    private GantryClient(ClientHome home, Command gantry, string version) => (this.home, Gantry, Version) = (home, gantry, version);

    /// <summary>The command with its store; the credentials are those of the home unless <c>--authfile</c> says otherwise.</summary>
    public Command Gantry { get; }

    public string Version { get; }

    public static async Task<GantryClient> StartAsync(ClientHome home)
    {
        var gantry = Command(new(home.Environment) { ["GANTRY_ROOT"] = home.At("gantry") });
        return new GantryClient(home, gantry, "gantry " + (await gantry.RunAsync("--version")).Output.Trim());
    }

    /// <summary>Credentials for one registry, or none at all, as an option that every command takes.</summary>
    public string[] As(Login? login, string reference)
    {
        var file = home.At($"tmp/auth-{Guid.NewGuid():N}.json");
        if (login is null) ClientHome.WriteCredentials(file);
        else ClientHome.WriteCredentials(file, (reference[..reference.IndexOf('/', StringComparison.Ordinal)], login.User, login.Secret));
        return ["--authfile", file];
    }

    /// <summary>The same store with other variables; an empty one counts as none.</summary>
    public Command With(params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string>(Gantry.Environment);
        foreach (var (name, value) in variables) environment[name] = value;
        return Command(environment);
    }

    public Task LoadAsync(ImageSet images, string name, string reference) => Gantry.RunAsync("load", "-q", "--name", reference, images.Folder(name));

    public async Task<string> PushAsync(string reference)
    {
        var layout = home.At($"tmp/layout-{Guid.NewGuid():N}");
        await Gantry.RunAsync("save", "--format", "oci-dir", "-o", layout, reference);
        var pushed = await Gantry.RunAsync("push", "-q", layout, reference);
        Directory.Delete(layout, recursive: true);
        return Digest(pushed);
    }

    public async Task<string> PullAsync(string reference) => Digest(await Gantry.RunAsync("pull", "-q", reference));

    public async Task<string> RunAsync(string reference, params string[] command) =>
        (await Gantry.RunAsync(["run", "--rm", reference, .. command])).Output;

    public async Task WipeAsync()
    {
        var images = (await Gantry.RunAsync("images", "-q")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (images.Length > 0) await Gantry.RunAsync(["rmi", "-q", .. images]);

        // With the last name everything went that it led to.
        foreach (var folder in (string[])["blobs", "layers", "chains"])
            Assert.Empty(Directory.EnumerateFiles(home.At($"gantry/{folder}"), "*", SearchOption.AllDirectories));
    }

    public ValueTask DisposeAsync() => default;

    private static Command Command(Dictionary<string, string> environment) => new(GantryCommand.Program[0], GantryCommand.Program[1..]) { Environment = environment };

    /// <summary>The digest of the image by which a pull, a push and a copy end.</summary>
    public static string Digest(CommandResult result) => result.Output.Trim().Split('@') is [_, var digest] ? digest
        : throw new InvalidOperationException($"{result.Line} named no digest:\n{result.Text}");

    /// <summary>What <c>inspect</c> says of an image of the store.</summary>
    public async Task<JsonElement> InspectAsync(string reference) =>
        JsonDocument.Parse((await Gantry.RunAsync("inspect", "--json", reference)).Output).RootElement;
}
