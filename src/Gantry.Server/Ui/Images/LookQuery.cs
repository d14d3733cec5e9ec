using Gantry.Core.Look;

namespace Gantry.Server.Ui;

/// <summary>Where in an image a page is to look, as its query says it.</summary>
internal static class LookQuery
{
    /// <summary>Null where the query has none.</summary>
    /// <exception cref="PageException">404: it is no path.</exception>
    public static ImagePath? Path(Visit visit, string name)
    {
        if (visit.Query(name) is not { } text) return null;
        return ImagePath.TryParse(text, out var path) ? path : throw PageException.NotFound();
    }

    /// <summary>The number of a layer of the image, from 1; null: all of it.</summary>
    /// <exception cref="PageException">404: it has no such layer.</exception>
    public static int? Layer(Visit visit, PickedImage picked)
    {
        if (visit.Query("layer") is null) return null;
        return visit.QueryId("layer") is { } number && number >= 1 && number <= picked.Layers.Count ? (int)number : throw PageException.NotFound();
    }
}
