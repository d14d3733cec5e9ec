using System.Globalization;
using Gantry.Oci;

namespace Gantry.Server.V2;

/// <summary>The <c>n</c> of a listing.</summary>
internal static class PageSize
{
    /// <summary>Null: none was given. More than <paramref name="most"/> is <paramref name="most"/>, with a Link.</summary>
    public static int? Parse(V2Request request, int most)
    {
        if (request.Query("n") is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            ? (int)Math.Min(n, most)
            : throw new OciException(OciErrorCode.Unsupported, "n is a whole number, 0 or more", StatusCodes.Status400BadRequest);
    }
}
