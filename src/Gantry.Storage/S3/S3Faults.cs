using System.Net;
using Amazon.Runtime;

namespace Gantry.Storage.S3;

/// <summary>What the SDK throws, in this project's words. What passes by itself and what does not look alike from here.</summary>
internal static class S3Faults
{
    public static bool IsMissing(Exception fault) => fault is AmazonServiceException { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" };

    /// <summary>
    /// A multipart upload that is not there any more: completed, aborted or never made. Ceph answers 500 to the completion
    /// of an aborted one.
    /// </summary>
    public static bool IsMultipartGone(Exception fault) => fault is AmazonServiceException { ErrorCode: "NoSuchUpload" or "NoSuchKey" };

    public static bool IsInvalidPart(Exception fault) => fault is AmazonServiceException { ErrorCode: "InvalidPart" or "InvalidPartOrder" };

    public static bool IsServerError(Exception fault) => fault is AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError };

    public static bool IsOfTheSdk(Exception fault) =>
        fault is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException
            or OperationCanceledException;

    public static IOException Of(string what, Exception fault)
    {
        // Ceph and AWS say 403 or 400 with a name, MinIO 507.
        if (fault is AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage }
            or AmazonServiceException { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" or "InsufficientCapacity" })
            return new StorageFullException(fault);
        var answer = fault is AmazonServiceException service
            ? $"{(int)service.StatusCode} {service.ErrorCode} (request {service.RequestId})" : fault.GetType().Name;
        return new StorageUnavailableException($"S3 did not {what}: {answer}", fault);
    }
}
