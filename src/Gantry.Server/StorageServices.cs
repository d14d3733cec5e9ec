using System.ComponentModel.DataAnnotations;
using Gantry.Core;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Server.V2;
using Gantry.Storage;
using Gantry.Storage.FileSystem;
using Gantry.Storage.S3;
using Microsoft.Extensions.Options;

namespace Gantry.Server;

/// <summary>Section <c>Storage</c>: where blobs lie.</summary>
public sealed class StorageOptions : IValidatableObject
{
    internal const string OnFileSystem = "FileSystem", OnS3 = "S3";

    /// <summary><c>FileSystem</c> or <c>S3</c>; the other one's settings are not looked at.</summary>
    public string Backend { get; set; } = OnFileSystem;

    public FileSystemOptions FileSystem { get; init; } = new();

    public S3Options S3 { get; init; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Backend is not (OnFileSystem or OnS3))
            yield return new ValidationResult($"Storage:Backend '{Backend}' is not known: FileSystem and S3 are");
        if (Backend != OnS3) yield break;
        foreach (var fault in S3OptionsCheck.FaultsOf(S3)) yield return new ValidationResult(fault);
        foreach (var fault in RedirectNetworks.FaultsOf(S3)) yield return new ValidationResult(fault);
        if (S3.CaFile.Length > 0 && AuthorityFile.FaultOf(S3.CaFile) is { } unread)
            yield return new ValidationResult($"Storage:S3:CaFile '{S3.CaFile}' {unread}");
    }
}

/// <summary>A presigned URL that was handed out is honoured by the store alone: no review can know of it.</summary>
internal sealed class UrlsFindTheirBytes(IOptions<StorageOptions> storage) : IValidateOptions<GcOptions>
{
    public ValidateOptionsResult Validate(string? name, GcOptions options)
    {
        StorageOptions bytes;
        try
        {
            bytes = storage.Value;
        }
        catch (OptionsValidationException)
        {
            return ValidateOptionsResult.Skip; // those are told by themselves
        }

        return bytes.Backend == StorageOptions.OnS3 && bytes.S3.Redirect && options.ByteDelay < bytes.S3.RedirectLifetime
            ? ValidateOptionsResult.Fail($"Gc:ByteDelay {options.ByteDelay} is shorter than Storage:S3:RedirectLifetime {bytes.S3.RedirectLifetime}: "
                + "URLs would outlive their bytes")
            : ValidateOptionsResult.Success;
    }
}

internal static class StorageServices
{
    /// <summary>Both backends can be asked for; the settings say which one is made.</summary>
    public static IServiceCollection AddGantryStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<StorageOptions>(configuration, "Storage");
        services.AddSingleton<IValidateOptions<GcOptions>, UrlsFindTheirBytes>();
        services.AddSingleton(provider =>
        {
            var root = Options(provider).FileSystem.Root;
            if (root.Length == 0) root = Path.Combine(provider.GetRequiredService<IOptions<DataOptions>>().Value.Root, "blobs");
            return FileSystemLayout.Prepare(new FileSystemOptions { Root = Path.GetFullPath(root) });
        });
        services.AddSingleton(provider =>
        {
            var options = Options(provider).S3;
            return S3Connection.Open(options, options.CaFile.Length > 0 ? AuthorityFile.PolicyOf(options.CaFile) : null,
                provider.GetRequiredService<TimeProvider>());
        });
        services.AddSingleton<IBlobStore>(provider => IsOnS3(provider)
            ? ActivatorUtilities.CreateInstance<S3BlobStore>(provider) : ActivatorUtilities.CreateInstance<FileSystemBlobStore>(provider));
        services.AddSingleton<IUploadStaging>(provider => IsOnS3(provider)
            ? ActivatorUtilities.CreateInstance<S3UploadStaging>(provider) : ActivatorUtilities.CreateInstance<FileSystemUploadStaging>(provider));
        services.AddSingleton(provider => RedirectNetworks.Of(Options(provider).S3)).AddSingleton<BlobRedirects>();
        return services;
    }

    private static StorageOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<StorageOptions>>().Value;

    private static bool IsOnS3(IServiceProvider provider) => Options(provider).Backend == StorageOptions.OnS3;
}
