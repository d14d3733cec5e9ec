using System.Text.Json;
using Gantry.EndToEnd.Tests.Running;
using Gantry.TestKit;

namespace Gantry.Pages.Tests;

/// <summary>
/// Debian's Chromium by npm's playwright-core: each run is a script of the folder <c>browser</c>, which gets an order and answers with what it found
/// wrong. ./test.sh installs all three.
/// </summary>
internal static class Chromium
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "tests/Gantry.Pages.Tests/browser");

    /// <summary>Runs a script and fails with its findings, if there are any.</summary>
    /// <param name="visitor">Whose session the browser has; null: it has none.</param>
    /// <param name="order">What the script wants to know besides.</param>
    /// <returns>What it answers besides.</returns>
    public static async Task<JsonElement> RunAsync(string script, Uri address, PageSession? visitor, Dictionary<string, object> order)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")) || !File.Exists("/usr/bin/chromium"))
            throw new InvalidOperationException("Chromium or what drives it is missing: ./test.sh Gantry.Pages.Tests installs it");
        order["address"] = address.GetLeftPart(UriPartial.Authority);
        if (visitor is not null) order["cookies"] = visitor.Cookies.Select(cookie => new { name = cookie.Name, value = cookie.Value });
        var node = new Command("node") { WorkingFolder = Folder };
        var result = (await node.TryWithInputAsync(JsonSerializer.Serialize(order), $"{script}.mjs")).Succeeded();
        var answer = JsonDocument.Parse(result.Output).RootElement;
        var findings = answer.GetProperty("findings").EnumerateArray().Select(finding => finding.GetString()).ToList();
        Assert.True(findings.Count == 0, string.Join('\n', findings));
        return answer;
    }
}
