namespace Gantry.Server.Auth;

/// <summary>The parameters of a token exchange (RFC 8693, 2.1), as far as this registry knows them.</summary>
internal static class TokenExchange
{
    public const string GrantType = "urn:ietf:params:oauth:grant-type:token-exchange";

    /// <summary>What it gives: a bearer token of this registry.</summary>
    public const string IssuedType = "urn:ietf:params:oauth:token-type:access_token";

    private const string Jwt = "urn:ietf:params:oauth:token-type:jwt", IdToken = "urn:ietf:params:oauth:token-type:id_token";

    public static string SubjectToken(TokenForm form) => form.Fields["subject_token"].ToString();

    /// <summary>Null: it can be tried.</summary>
    public static string? FaultOf(TokenForm form)
    {
        if (SubjectToken(form).Length == 0) return "subject_token must be there";
        if (form.Fields["subject_token_type"].ToString() is not (Jwt or IdToken)) return $"subject_token_type must be {Jwt} or {IdToken}";
        if (form.Fields.ContainsKey("actor_token")) return "actor_token is not known here";
        return form.Fields["requested_token_type"].ToString() is "" or IssuedType or Jwt ? null : $"requested_token_type must be {IssuedType}";
    }
}
