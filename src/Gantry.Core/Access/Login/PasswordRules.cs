using System.Security.Cryptography;

namespace Gantry.Core.Access;

/// <summary>What a password may be, and how one is made up.</summary>
public static class PasswordRules
{
    public const int MinLength = 8;

    /// <summary>Bounds what a login makes the server hash.</summary>
    public const int MaxLength = 1024;

    // Without signs that look alike (0/O, 1/l/I): people read it from a console. 24 of 56 signs are 139 bits.
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    /// <summary>What is wrong with a new password, to follow its name in a sentence; null when it is fine.</summary>
    public static string? FaultOf(string password) =>
        password.Length is < MinLength or > MaxLength ? $"must have {MinLength} to {MaxLength} characters" : null;

    public static string Generate() => RandomNumberGenerator.GetString(Alphabet, 24);
}
