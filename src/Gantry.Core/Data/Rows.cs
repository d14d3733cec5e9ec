namespace Gantry.Core.Data;

// One type a table, column for column; what a column means stands in migrations/.

public sealed class NamespaceRow
{
    public long Id { get; init; }
    public required string Name { get; init; }
    public required string Visibility { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class RepositoryRow
{
    public long Id { get; init; }
    public long NamespaceId { get; init; }
    public required string Name { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class BlobRow
{
    public required string Digest { get; init; }
    public long Size { get; init; }
    public required string Location { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? SuspectSince { get; set; }
    public DateTimeOffset? QuarantinedAt { get; set; }
    public DateTimeOffset ScrubAt { get; set; }
}

public sealed class BlobLinkRow
{
    public long RepositoryId { get; init; }
    public required string Digest { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset TouchedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    public DateTimeOffset? SuspectSince { get; set; }
}

public sealed class ManifestRow
{
    public long RepositoryId { get; init; }
    public required string Digest { get; init; }
    public required string MediaType { get; init; }
    public string? ArtifactType { get; init; }
    public string? ConfigDigest { get; init; }
    public string? SubjectDigest { get; init; }

    /// <summary>A JSON object as text, or null.</summary>
    public string? Annotations { get; init; }
    public required byte[] Payload { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset TouchedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    public DateTimeOffset? SuspectSince { get; set; }
}

public sealed class ManifestReferenceRow
{
    public long RepositoryId { get; init; }
    public required string ManifestDigest { get; init; }
    public string? BlobDigest { get; init; }
    public string? ChildDigest { get; init; }
}

public sealed class TagRow
{
    public long RepositoryId { get; init; }
    public required string Name { get; init; }
    public required string ManifestDigest { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
}

public sealed class UploadSessionRow
{
    public Guid Id { get; init; }
    public required string Repository { get; init; }
    public string? Account { get; init; }
    public long StagingOffset { get; set; }
    public required string Algorithm { get; init; }
    public byte[]? HashState { get; set; }
    public byte[]? BackendState { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset ExpiresAt { get; set; }
    public int? Writer { get; set; }
    public long Epoch { get; set; }
}

public sealed class DoomedLocationRow
{
    public required string Location { get; init; }
    public Guid? SessionId { get; init; }

    /// <summary>location, upload or staging.</summary>
    public string Kind { get; init; } = "location";
    public DateTimeOffset DeleteAfter { get; init; }
    public int? Node { get; init; }
}

public sealed class WorkCursorRow
{
    public required string Name { get; init; }
    public required string Position { get; set; }
    public DateTimeOffset DueAt { get; set; }
}

public sealed class AccountRow
{
    public long Id { get; init; }
    public required string Name { get; init; }
    public string? PasswordHash { get; set; }
    public bool IsAdministrator { get; set; }
    public Guid SecurityStamp { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? DisabledAt { get; set; }

    /// <summary>person or robot.</summary>
    public string Kind { get; init; } = "person";

    /// <summary>A robot's; null for a person.</summary>
    public long? NamespaceId { get; init; }
    public bool CreatesNamespaces { get; set; }
    public string? DisplayName { get; set; }
    public string? Email { get; set; }
}

public sealed class AccountIdentityRow
{
    public required string Provider { get; init; }
    public required string Subject { get; init; }
    public long AccountId { get; init; }
}

public sealed class AccountGroupRow
{
    public long AccountId { get; init; }

    /// <summary>provider/group.</summary>
    public required string Name { get; init; }
}

public sealed class MembershipRow
{
    public long Id { get; init; }
    public long NamespaceId { get; init; }
    public long? AccountId { get; init; }
    public string? GroupName { get; init; }
    public required string Role { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class AccessRuleRow
{
    public long Id { get; init; }
    public long NamespaceId { get; init; }
    public required string Pattern { get; init; }
    public required string[] AppliesTo { get; init; }
    public required string[] Denied { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class AccessTokenRow
{
    public long Id { get; init; }
    public long AccountId { get; init; }
    public required string Name { get; init; }
    public required byte[] Hash { get; init; }
    public required string[] Scopes { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? LastUsedAt { get; set; }
}

public sealed class TrustRow
{
    public long Id { get; init; }
    public long AccountId { get; init; }

    /// <summary>The name of a configured issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>A JSON object: claim to pattern.</summary>
    public required string Claims { get; init; }
    public required string[] Scopes { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

public sealed class EventRow
{
    public long Id { get; init; }
    public DateTimeOffset At { get; init; }
    public required string Kind { get; init; }
    public string? Namespace { get; init; }
    public string? Repository { get; init; }
    public string? Digest { get; init; }
    public string? Tag { get; init; }
    public string? Subject { get; init; }
    public string? Detail { get; init; }
    public string? Account { get; init; }
    public string? Address { get; init; }
    public string? Client { get; init; }
    public string? RequestId { get; init; }
    public bool Pending { get; set; } = true;
}

public sealed class DataProtectionKeyRow
{
    public long Id { get; init; }
    public required string Name { get; init; }
    public required string Xml { get; init; }
}

public sealed class SigningKeyRow
{
    public required string Id { get; init; }

    /// <summary>PKCS#8.</summary>
    public required byte[] PrivateKey { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? RetiredAt { get; set; }
}
