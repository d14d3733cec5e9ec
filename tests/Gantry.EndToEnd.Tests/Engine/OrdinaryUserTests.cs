using Gantry.EndToEnd.Tests.Running;
using Gantry.Engine.Tests.Unpack;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>
/// `gantry unpack` by somebody who is not root: the tree that root gets, but that everything is his, and that what takes privileges is left out and said.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class OrdinaryUserTests(Lab lab, ImageTrees trees) : IClassFixture<ImageTrees>
{
    private const uint User = 12345;

    [Theory]
    [InlineData("debian")]
    [InlineData("edge")]
    public async Task Unpack_ByAUser_LacksOnlyWhatNeedsPrivileges(string image)
    {
        var expected = await trees.FlatAsync(image);
        var folder = Directory.CreateTempSubdirectory("gantry-user-").FullName;
        try
        {
            // Where the tests lie may be closed to him, and the credentials are.
            var program = Path.Combine(folder, "program");
            await new Command("cp").RunAsync("-r", Path.GetDirectoryName(GantryCommand.Program[^1])!, program);
            await new Command("skopeo") { Environment = lab.Home.Environment }.RunAsync(
                "copy", "-q", ImageSource.Find(lab.Images, image).Transport, $"oci-archive:{Path.Combine(folder, "image.tar")}:localhost/{image}:1");
            await new Command("chown").RunAsync("-R", $"{User}:{User}", folder);
            await new Command("chmod").RunAsync("-R", "u+rwX", folder);

            string[] words = [.. GantryCommand.Program[..^1], Path.Combine(program, Path.GetFileName(GantryCommand.Program[^1]))];
            var gantry = new Command("setpriv", [$"--reuid={User}", $"--regid={User}", "--clear-groups", .. words])
            {
                Environment = new() { ["GANTRY_ROOT"] = Path.Combine(folder, "store"), ["HOME"] = folder },
                WorkingFolder = folder,
            };
            await gantry.RunAsync("load", "--name", $"localhost/{image}:1", Path.Combine(folder, "image.tar"));
            var unpacked = await gantry.RunAsync("unpack", $"localhost/{image}:1", Path.Combine(folder, "tree"));

            var seen = TreeSnapshot.Of(Path.Combine(folder, "tree"));
            var left = TreeDifference.Between(seen, expected);
            Assert.All(seen.Paths.Prepend(""), path => Assert.Equal((User, User), (seen[path].Uid, seen[path].Gid)));
            left.RemoveAll(difference => difference.Aspect == TreeAspect.Owner);
            var devices = left.RemoveAll(difference => difference.Aspect == TreeAspect.Presence && expected.Has(difference.Path) && IsDevice(expected[difference.Path]));
            var capabilities = left.RemoveAll(difference => difference.Aspect == TreeAspect.Attributes && difference.Ours.Length == 0
                && difference.Theirs.StartsWith("security.capability=", StringComparison.Ordinal));
            Assert.True(left.Count == 0, string.Join('\n', left));

            Assert.Equal(image == "edge", devices > 0 && capabilities > 0);
            Assert.Equal(image == "edge", unpacked.Error.Contains("security.capability", StringComparison.Ordinal));
        }
        finally
        {
            await new Command("rm").RunAsync("-rf", folder);
        }
    }

    private static bool IsDevice(TreeEntry entry) => entry.Kind.ToString().EndsWith("Device", StringComparison.Ordinal);
}
