using System.ComponentModel.DataAnnotations;
using Gantry.Core;
using Gantry.Core.Data;
using Gantry.Storage;
using Gantry.Storage.FileSystem;
using Microsoft.Extensions.Options;

namespace Gantry.Server;

/// <summary>Section <c>Storage</c>: where blobs lie.</summary>
public sealed class StorageOptions : IValidatableObject
{
    /// <summary><c>FileSystem</c>.</summary>
    public string Backend { get; set; } = "FileSystem";

    public FileSystemOptions FileSystem { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Backend != "FileSystem") yield return new ValidationResult($"Storage:Backend '{Backend}' is not known: FileSystem is");
    }
}

internal static class StorageServices
{
    public static IServiceCollection AddGantryStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<StorageOptions>(configuration, "Storage");
        services.AddSingleton(provider =>
        {
            var root = provider.GetRequiredService<IOptions<StorageOptions>>().Value.FileSystem.Root;
            if (root.Length == 0) root = Path.Combine(provider.GetRequiredService<IOptions<DataOptions>>().Value.Root, "blobs");
            return FileSystemLayout.Prepare(new FileSystemOptions { Root = Path.GetFullPath(root) });
        });
        services.AddSingleton<IBlobStore, FileSystemBlobStore>();
        services.AddSingleton<IUploadStaging, FileSystemUploadStaging>();
        return services;
    }
}
