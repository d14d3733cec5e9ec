using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.Core.Data;

/// <summary>One numbered SQL file of the migrations folder, as embedded into this assembly.</summary>
internal sealed partial record Migration(int Version, string Name, string Sql)
{
    /// <summary>SHA-256 of the text. Line ends do not count: a checkout may have turned them.</summary>
    internal string Checksum =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    internal string FileName => string.Create(CultureInfo.InvariantCulture, $"{Version:D4}_{Name}.sql");

    /// <summary>All of them, in order. A wrong name or a number given twice is a fault of the build.</summary>
    internal static IReadOnlyList<Migration> Embedded()
    {
        var assembly = typeof(Migration).Assembly;
        List<Migration> all = [];
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith("migrations/", StringComparison.Ordinal)))
        {
            var match = FilePattern().Match(resource);
            if (!match.Success) throw new InvalidOperationException($"{resource} is not named NNNN_name.sql");
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            all.Add(new Migration(int.Parse(match.Groups["version"].ValueSpan), match.Groups["name"].Value, reader.ReadToEnd()));
        }

        all.Sort((a, b) => a.Version.CompareTo(b.Version));
        for (var i = 0; i < all.Count; i++)
        {
            if (all[i].Version != i + 1) throw new InvalidOperationException($"{all[i].FileName} should have number {i + 1}");
        }

        return all;
    }

    [GeneratedRegex("^migrations/(?<version>[0-9]{4})_(?<name>[a-z0-9_]+)\\.sql$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FilePattern();
}
