namespace Gantry.Engine.Remote.Transport;

/// <summary>The next page of a list (RFC 8288, as distribution-spec uses it).</summary>
internal static class LinkHeader
{
    /// <summary>Null where there is none.</summary>
    /// <exception cref="EngineException"><see cref="EngineFault.Refused"/>: it is another host's.</exception>
    public static Uri? Next(Answer answer)
    {
        if (!answer.Headers.NonValidated.TryGetValues("Link", out var lines)) return null;
        foreach (var line in lines)
        {
            var (open, close) = (line.IndexOf('<', StringComparison.Ordinal), line.IndexOf('>', StringComparison.Ordinal));
            if (open < 0 || close < open || !SaysNext(line.AsSpan(close + 1))) continue;

            if (!Uri.TryCreate(answer.Address, line[(open + 1)..close], out var next)) return null;
            return Access.Realm.IsSameOrigin(next, answer.Address) && next.UserInfo.Length == 0 ? next : throw new EngineException(
                EngineFault.Refused, $"{RemoteText.Shown(answer.Address.Authority)} names {RemoteText.Shown(next)} as the next page, which is not its own");
        }

        return null;
    }

    private static bool SaysNext(ReadOnlySpan<char> parameters)
    {
        foreach (var part in parameters.Split(';'))
        {
            var parameter = parameters[part].Trim();
            if (parameter.StartsWith("rel", StringComparison.OrdinalIgnoreCase)
                && parameter[3..].TrimStart().TrimStart('=').Trim().Trim('"').Equals("next", StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
