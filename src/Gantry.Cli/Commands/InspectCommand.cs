using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class InspectCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.References(ArgumentArity.OneOrMore, "Images of the store, or with --remote of registries.");
        var remote = new Option<bool>("--remote") { Description = "Ask the registry, and do not look at the store." };
        var raw = new Option<bool>("--raw") { Description = "Print the manifest or index as it is, byte by byte." };
        return new DocumentedCommand("inspect", "Show what an image is, as JSON.")
        {
            Details = """
                An object an image: names and digests, platform, layers, and the config's words under docker's names (Config.Env, Config.Entrypoint ...). With --raw the bytes of
                the manifest or index that the name points at; they hash to its digest.

                The JSON is indented; with --json it is a line an image.
                """,
            Examples =
            [
                ("gantry inspect debian:12", "of the store"),
                ("gantry inspect debian:12 | jq -r .Config.Cmd[]", "what it runs"),
                ("gantry inspect --remote --raw alpine | sha256sum", "the digest of alpine, seen without pulling"),
            ],
            Arguments = { reference },
            Options = { remote, raw },
        }.Runs(screen, async (session, ct) =>
        {
            var isRemote = session.Parsed.GetValue(remote);
            foreach (var word in session.Parsed.GetValue(reference)!)
            {
                var name = isRemote ? ImageName.Parse(word) : await LocalNames.OfAsync(await session.OpenStoreAsync(ct), word, ct);
                if (session.Parsed.GetValue(raw))
                {
                    screen.Results.Write((await (isRemote ? RemoteTopAsync(session, name, ct) : LocalTopAsync(session, name, ct))).Span);
                    screen.Results.Flush();
                    continue;
                }

                if (isRemote)
                {
                    // The manifest and the config alone, through a store that is thrown away: the rules of choosing and checking are the pull's.
                    var folder = Directory.CreateTempSubdirectory("gantry-inspect-");
                    try
                    {
                        var store = await ImageStore.OpenAsync(folder.FullName, ct);
                        var seen = await new ImageLook(store, session.OpenRegistries()).LookAsync(name, session.Platform, ct);
                        Print(session, name, seen.Top, seen.Manifest, seen.Config);
                    }
                    finally
                    {
                        folder.Delete(recursive: true);
                    }
                }
                else
                {
                    var store = await session.OpenStoreAsync(ct);
                    var image = Pulls.Find(store, name);
                    Print(session, name, image.Top, await store.ReadManifestAsync(image, ct), await store.ReadConfigAsync(image, ct));
                }
            }

            return ExitCodes.Success;
        });
    }

    private static async Task<ReadOnlyMemory<byte>> RemoteTopAsync(Session session, ImageName name, CancellationToken ct) =>
        (await session.OpenRegistries().Open(name).GetManifestAsync(name.Reference, cancellationToken: ct)).Content;

    private static async Task<ReadOnlyMemory<byte>> LocalTopAsync(Session session, ImageName name, CancellationToken ct)
    {
        var store = await session.OpenStoreAsync(ct);
        var top = Pulls.Find(store, name).Top;
        await using var blob = store.OpenBlob(top.Digest) ?? throw new EngineException(EngineFault.NotFound, $"{top.Digest} is not in the store; pull {name} again");
        var content = new byte[top.Size];
        await blob.ReadExactlyAsync(content, ct);
        return content;
    }

    private static void Print(Session session, ImageName name, Oci.Descriptor top, ImageDocument manifest, ImageConfig? config)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = !session.IsJson, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) ImageReport.Write(writer, name, top, manifest, config);
        session.Screen.Result(CliJson.Seen(System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan)));
    }
}
