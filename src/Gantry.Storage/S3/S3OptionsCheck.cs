using System.Text.RegularExpressions;

namespace Gantry.Storage.S3;

/// <summary>What is wrong with the settings of the S3 backend, all of it, as sentences that begin with the setting's name.</summary>
public static partial class S3OptionsCheck
{
    private const string Section = "Storage:S3";

    public static IEnumerable<string> FaultsOf(S3Options options)
    {
        if (options.Endpoint.Length > 0 && !IsOrigin(options.Endpoint)) yield return NotAnOrigin(nameof(options.Endpoint), options.Endpoint);
        if (options.PublicEndpoint.Length > 0 && !IsOrigin(options.PublicEndpoint))
            yield return NotAnOrigin(nameof(options.PublicEndpoint), options.PublicEndpoint);
        if (string.IsNullOrWhiteSpace(options.Region)) yield return $"{Section}:Region is empty";
        if (options.Bucket.Length == 0) yield return $"{Section}:Bucket is empty: name the bucket that holds the blobs";
        else if (!BucketName().IsMatch(options.Bucket)) yield return $"{Section}:Bucket '{options.Bucket}' is not a bucket's name";
        if (!Prefix().IsMatch(options.Prefix)) yield return $"{Section}:Prefix '{options.Prefix}' is not of the form folder/ or a/b/";

        if (options.AccessKey.Length > 0 && options.SecretKey.Length == 0) yield return $"{Section}:AccessKey is set and SecretKey is not";
        if (options.SecretKey.Length > 0 && options.AccessKey.Length == 0) yield return $"{Section}:SecretKey is set and AccessKey is not";
        if (options.ServerSideEncryption is not ("None" or "AES256" or "aws:kms"))
            yield return $"{Section}:ServerSideEncryption '{options.ServerSideEncryption}' is not None, AES256 or aws:kms";
        if (options.KmsKeyId.Length > 0 && options.ServerSideEncryption != "aws:kms")
            yield return $"{Section}:KmsKeyId is set and ServerSideEncryption is not aws:kms";

        if (options.RedirectLifetime < TimeSpan.FromMinutes(1) || options.RedirectLifetime > TimeSpan.FromDays(1))
            yield return $"{Section}:RedirectLifetime {options.RedirectLifetime} is not between a minute and a day";
        if (options.PartSize is < S3Options.MinPartSize or > PartSchedule.MaxPartMiB || !int.IsPow2(options.PartSize))
            yield return $"{Section}:PartSize {options.PartSize} is not 8, 16, 32 or 64 (MiB)";
        if (options.BufferBudget is < 0 or > 65_536) yield return $"{Section}:BufferBudget {options.BufferBudget} is not between 0 and 65536 (MiB)";
        if (options.Retries is < 0 or > 20) yield return $"{Section}:Retries {options.Retries} is not between 0 and 20";
        if (options.Timeout < TimeSpan.FromSeconds(1) || options.Timeout > TimeSpan.FromHours(1))
            yield return $"{Section}:Timeout {options.Timeout} is not between a second and an hour";
        if (options.MaxConnections is < 8 or > 10_000) yield return $"{Section}:MaxConnections {options.MaxConnections} is not between 8 and 10000";
    }

    private static string NotAnOrigin(string setting, string value) =>
        $"{Section}:{setting} '{value}' is not of the form https://host or http://host:port";

    private static bool IsOrigin(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        && url is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" };

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9._-]{1,254}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BucketName();

    // No dot segments and nothing that is encoded in a URL.
    [GeneratedRegex("^([a-zA-Z0-9_-][a-zA-Z0-9._-]*/){0,8}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Prefix();
}
