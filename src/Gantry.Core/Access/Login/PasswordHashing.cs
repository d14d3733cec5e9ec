using Gantry.Oci;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Hashes and verifies passwords, deliberately slowly, and never more at once than the machine has processors: a flood
/// of logins must not take the processors from transfers. At most <see cref="MaxWaiting"/> wait; more get 429.
/// </summary>
public sealed class PasswordHashing : IDisposable
{
    private const int MaxWaiting = 256;

    private readonly PasswordHasher<object> _hasher;
    private readonly SemaphoreSlim _slots = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Lazy<string> _nobody;
    private int _waiting;

    public PasswordHashing(IOptions<AccessOptions> options)
    {
        _hasher = new(Options.Create(new PasswordHasherOptions
        {
            CompatibilityMode = PasswordHasherCompatibilityMode.IdentityV3,
            IterationCount = options.Value.PasswordHashIterations,
        }));
        _nobody = new(() => _hasher.HashPassword(this, PasswordRules.Generate()));
    }

    public Task<string> HashAsync(string password, CancellationToken cancellation = default) =>
        InTurnAsync(() => _hasher.HashPassword(this, password), cancellation);

    /// <summary>
    /// Compares a password with a hash; null (no such account, or one without password) takes as long and is never
    /// right.
    /// </summary>
    public Task<PasswordVerificationResult> VerifyAsync(
        string? hash, string password, CancellationToken cancellation = default) =>
        InTurnAsync(
            () =>
            {
                var result = _hasher.VerifyHashedPassword(this, hash ?? _nobody.Value, password);
                return hash is null ? PasswordVerificationResult.Failed : result;
            },
            cancellation);

    public void Dispose() => _slots.Dispose();

    private async Task<T> InTurnAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new OciException(OciErrorCode.TooManyRequests, "too many logins at once") { RetryAfterSeconds = 1 };
        }

        try
        {
            await _slots.WaitAsync(cancellation);
            try
            {
                return await Task.Run(work, CancellationToken.None);
            }
            finally
            {
                _slots.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
