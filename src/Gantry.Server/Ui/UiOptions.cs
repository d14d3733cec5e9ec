namespace Gantry.Server.Ui;

/// <summary>Section <c>Ui</c>: the web page.</summary>
public sealed class UiOptions
{
    /// <summary>Whether this node answers browsers with pages. Off: <c>/</c> and all below it that is a page is 404.</summary>
    public bool Enabled { get; set; } = true;
}
