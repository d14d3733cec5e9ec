using System.Globalization;
using System.Text;
using Gantry.EndToEnd.Tests.Running;
using Gantry.Engine.Tests.Unpack;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>The comparison itself: it sees what other programs changed and what they see, or it would find all trees equal. Needs root.</summary>
public sealed class TreeDifferenceTests : IAsyncDisposable
{
    private const string Make = """
        mkdir -p "$0/d/e" && cd "$0" && echo content >f && echo c >d/big && ln -s target s && mkfifo p && mknod n c 1 3 && mknod b b 7 1
        echo linked >h1 && ln h1 h2 && ln h1 d/h3 && printf x >$'d/\xff\n' && chmod 4711 f && chown 5:6 d && chmod 1750 d && echo c >capable && setcap cap_net_raw=ep capable
        find . -exec touch -h -d '@1000000000.123456789' {} +
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("gantry-trees-").FullName;

    [Theory]
    [InlineData("true", "")]
    [InlineData("chmod 4710 f", "f Mode")]
    [InlineData("chown -h 1:2 s", "s Owner")]
    [InlineData("touch -h -d '@1000000000.123456788' s", "s Time")]
    [InlineData("touch -d '@1000000000.123456788' d/e", "d/e Time")]
    [InlineData("chmod 700 .", " Mode")]
    [InlineData("t=$(stat -c %y d); echo d >d/big; touch -d '@1000000000.123456789' d/big; touch -d \"$t\" d", "d/big Content")]
    [InlineData("setcap -r capable", "capable Attributes")]
    [InlineData("rm h2; echo linked >h2; touch -r f h2 .", "d/h3 Links,h1 Links,h2 Links")]
    [InlineData("rm f; touch -r p .", "f Presence")]
    [InlineData("touch new; touch -r p .", "new Presence")]
    [InlineData("rm n; mknod n c 1 5; touch -r p n .", "n Content")]
    [InlineData("rm b; mknod b c 7 1; touch -r p b .", "b Kind")]
    [InlineData("ln -sfn elsewhere s; touch -h -r p s; touch -r p .", "s Content")]
    public async Task Difference_ThatAnotherProgramMakes_IsNamed(string change, string expected)
    {
        var (one, other) = (await MadeAsync("one"), await MadeAsync("other"));

        await new Command("bash") { WorkingFolder = other }.RunAsync("-c", change);

        var found = TreeDifference.Between(TreeSnapshot.Of(one), TreeSnapshot.Of(other));
        Assert.Equal(expected, string.Join(',', found.Select(difference => $"{difference.Path} {difference.Aspect}")));
    }

    [Fact]
    public async Task Snapshot_OfATree_SeesWhatGnuFindSees()
    {
        var tree = await MadeAsync("one");
        var listed = await new Command("find", tree, "-printf", @"%P\t%y\t%m\t%U:%G\t%T@\t%l\0").RunAsync();
        var expected = listed.Output.TrimEnd('\0').Split('\0').Select(line => line.Split('\t')).ToDictionary(fields => fields[0]);

        var seen = TreeSnapshot.Of(tree);

        Assert.Equal(expected.Count, seen.Paths.Count() + 1);
        foreach (var path in seen.Paths.Prepend("").Where(path => path.All(char.IsAscii)))
        {
            var (entry, fields) = (seen[path], expected[path]);
            Assert.Equal("fdlpcb"["fdlpcb".IndexOf(fields[1][0])], Letter(entry.Kind.ToString()));
            if (fields[1] != "l") Assert.Equal(fields[2], Convert.ToString(entry.Mode, 8));
            Assert.Equal(fields[3], $"{entry.Uid}:{entry.Gid}");
            Assert.Equal(fields[4], $"{entry.Modified.Seconds}.{entry.Modified.Nanoseconds.ToString("d9", CultureInfo.InvariantCulture)}0");
            if (fields[1] == "l") Assert.Equal(fields[5], entry.Content);
        }

        Assert.Equal("d/h3 h1 h2", seen["h1"].Links);
        Assert.Equal("security.capability=0100000200200000000000000000000000000000", seen["capable"].Attributes);
        Assert.Equal("1: x", seen.Content(Encoding.Latin1.GetString([.. "d/"u8, 0xFF, (byte)'\n'])));
    }

    // .NET cannot: it does not see names that are not UTF-8.
    public async ValueTask DisposeAsync() => await new Command("rm").RunAsync("-rf", folder);

    private async Task<string> MadeAsync(string name)
    {
        var tree = Path.Combine(folder, name);
        await new Command("bash").RunAsync("-ec", Make, tree);
        return tree;
    }

    private static char Letter(string kind) => kind switch
    {
        "RegularFile" => 'f',
        "Directory" => 'd',
        "SymbolicLink" => 'l',
        "Fifo" => 'p',
        "CharacterDevice" => 'c',
        _ => 'b',
    };
}
