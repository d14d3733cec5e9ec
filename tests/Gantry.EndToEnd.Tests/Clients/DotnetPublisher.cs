using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>`dotnet publish /t:PublishContainer` of a small console project: it builds an image and pushes it, without docker.</summary>
internal sealed class DotnetPublisher(ClientHome home, RegistryUnderTest registry)
{
    private readonly string folder = home.At("publish");

    public const string Greeting = "hello from dotnet publish";

    public static async Task<string> VersionAsync() =>
        "dotnet SDK " + (await new Command("dotnet") { WorkingFolder = SourceTree.Root }.RunAsync("--version")).Output.Trim();

    /// <summary>Publishes to a repository and returns what MSBuild printed.</summary>
    /// <param name="repository">Where the image goes.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="baseImage">Repository and tag, in the same registry, of the image it is built on.</param>
    /// <param name="variables">The SDK's own environment variables, e.g. for chunked uploads.</param>
    public async Task<CommandResult> PublishAsync(
        string repository, string tag, string baseImage, params (string Name, string Value)[] variables)
    {
        await WriteProjectAsync();
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_CONTAINER_INSECURE_REGISTRIES"] = registry.Host,
            ["DOTNET_CONTAINER_REGISTRY_UNAME"] = registry.User,
            ["DOTNET_CONTAINER_REGISTRY_PWORD"] = registry.Password,
            ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOCKER_CONFIG"] = home.At("docker"),
        };
        foreach (var (name, value) in variables) environment[name] = value;
        return await new Command("dotnet") { Environment = environment, WorkingFolder = folder }.RunAsync(
            "publish", "-c", "Release", "/t:PublishContainer", "-nodeReuse:false",
            $"-p:ContainerRegistry={registry.Host}", $"-p:ContainerRepository={repository}", $"-p:ContainerImageTag={tag}",
            $"-p:ContainerBaseImage={registry.Host}/{baseImage}");
    }

    // No package is restored: no apphost, no other framework than the SDK's own. The random file makes a layer that
    // takes several chunks.
    private async Task WriteProjectAsync()
    {
        if (Directory.Exists(folder)) return;
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(SourceTree.Root, "global.json"), Path.Combine(folder, "global.json"));
        var noise = new byte[700_000];
        new Random(1).NextBytes(noise);
        await File.WriteAllBytesAsync(Path.Combine(folder, "noise.bin"), noise);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), $"System.Console.WriteLine(\"{Greeting}\");");
        await File.WriteAllTextAsync(Path.Combine(folder, "app.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <UseAppHost>false</UseAppHost>
                <InvariantGlobalization>true</InvariantGlobalization>
              </PropertyGroup>
              <ItemGroup>
                <Content Include="noise.bin" CopyToOutputDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """);
    }
}
