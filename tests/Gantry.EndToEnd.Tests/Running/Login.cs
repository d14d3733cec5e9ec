namespace Gantry.EndToEnd.Tests.Running;

/// <summary>A name and the secret that goes with it, as one types them into `docker login`.</summary>
internal sealed record Login(string User, string Secret)
{
    /// <summary>As skopeo's --creds and ctr's --user want it.</summary>
    public string Pair => $"{User}:{Secret}";
}
