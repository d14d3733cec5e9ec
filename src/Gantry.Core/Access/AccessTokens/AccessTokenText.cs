using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Gantry.Core.Access;

/// <summary>
/// What an access token looks like: <c>gantry_pat_</c> (a person's) or <c>gantry_rob_</c> (a robot's), 32 random letters
/// and digits (190 bits), and 6 that are a checksum of all before them. Secret scanners find it by
/// <c>gantry_(pat|rob)_[0-9A-Za-z]{38}</c> and tell a real one from an example by the checksum.
/// </summary>
public static class AccessTokenText
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int PrefixLength = 11, RandomLength = 32, ChecksumLength = 6;

    public const int Length = PrefixLength + RandomLength + ChecksumLength;

    public static string Generate(AccountKind kind)
    {
        var prefix = kind == AccountKind.Robot ? "gantry_rob_" : "gantry_pat_";
        var body = prefix + RandomNumberGenerator.GetString(Alphabet, RandomLength);
        return body + ChecksumOf(body);
    }

    /// <summary>Whether somebody meant an access token, well formed or not.</summary>
    public static bool IsMeant(string text) =>
        text.StartsWith("gantry_pat_", StringComparison.Ordinal) || text.StartsWith("gantry_rob_", StringComparison.Ordinal);

    /// <summary>Whether it can be one: a typing error costs no query.</summary>
    public static bool IsWellFormed(string text) =>
        text.Length == Length && IsMeant(text) && text[^ChecksumLength..] == ChecksumOf(text[..^ChecksumLength]);

    /// <summary>What the database keeps of it.</summary>
    public static byte[] HashOf(string text) => SHA256.HashData(Encoding.ASCII.GetBytes(text));

    // The first five bytes of the SHA-256, in base 62, its last six digits.
    private static string ChecksumOf(string body)
    {
        var number = new BigInteger(HashOf(body).AsSpan(0, 5), isUnsigned: true, isBigEndian: true);
        var digits = new char[ChecksumLength];
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            digits[i] = Alphabet[(int)(number % Alphabet.Length)];
            number /= Alphabet.Length;
        }

        return new string(digits);
    }
}
