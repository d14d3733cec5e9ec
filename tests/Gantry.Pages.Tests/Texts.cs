namespace Gantry.Pages.Tests;

/// <summary>What maintainers write, and what somebody might who means ill.</summary>
internal static class Texts
{
    public const string Readme =
        """
        # The shop

        The front of our shop, behind **nginx**. It listens on port 80 and wants nothing else.

        - `latest` is what runs today
        - `1.x` is kept for a year

        ## Run it

            docker run --rm -p 8080:80 registry.example.com/acme/web:latest

        | variable | what it does |
        |---|---|
        | `PORT` | the port it listens on |

        Questions? Ask [the team](https://example.com/team).
        """;

    public const string HostileReadme =
        """
        # <script>alert(1)</script><img src=x onerror=alert(2)>

        [a link](javascript:alert(3)) ![a picture](https://elsewhere.example/track.png) <style>body { display: none }</style>

        <iframe src="https://elsewhere.example/"></iframe> <a href="/accounts" onclick="alert(4)">text</a>
        """;
}
