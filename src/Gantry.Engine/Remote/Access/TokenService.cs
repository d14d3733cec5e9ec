using System.Net;
using System.Net.Http.Headers;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote.Access;

/// <summary>Asks for a bearer token as docker's token specification has it. Never follows a redirect: it would carry the password along.</summary>
internal sealed class TokenService(string host, RemoteOptions options)
{
    /// <param name="realm">Checked by <see cref="Realm"/>.</param>
    /// <param name="wires">Those that lead there.</param>
    /// <param name="scopes">May be empty: a token that only says who we are.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.Denied"/> where it knows us not.</exception>
    public async Task<TokenReply> AskAsync(
        Uri realm, Wires wires, string? service, IReadOnlyList<string> scopes, Credential? credential, Func<string, string> redact, CancellationToken cancellationToken)
    {
        var tries = new Tries(options);
        while (true)
        {
            EngineException failed;
            TimeSpan? after = null;
            try
            {
                using var request = Request(realm, service, scopes, credential);
                using var response = await wires.SendAsync(request, cancellationToken);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    var body = await SmallBody.ReadAsync(response, TokenReply.MaxBytes, options, cancellationToken);
                    return TokenReply.Parse(body) ?? throw new EngineException(EngineFault.Network, $"the token service of {host} answers with something that is no token");
                }

                failed = await FailureAsync(response, realm, credential, redact, cancellationToken);
                if (!Tries.IsPassing(response.StatusCode)) throw failed;
                after = Tries.RetryAfter(response, options.Time);
            }
            catch (EngineException passing) when (Tries.IsPassing(passing))
            {
                failed = passing;
            }

            if (!await tries.AgainAsync(after, cancellationToken)) throw failed;
        }
    }

    private static HttpRequestMessage Request(Uri realm, string? service, IReadOnlyList<string> scopes, Credential? credential)
    {
        if (credential?.IdentityToken is { } refresh)
        {
            var form = new List<KeyValuePair<string, string>>
            {
                new("grant_type", "refresh_token"), new("client_id", "gantry"), new("refresh_token", refresh),
            };
            if (service is not null) form.Add(new("service", service));
            if (scopes.Count > 0) form.Add(new("scope", string.Join(' ', scopes)));
            return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(form) };
        }

        var query = new List<string>();
        if (credential?.Basic is not null) query.Add($"account={Uri.EscapeDataString(credential.UserName)}");
        if (service is not null) query.Add($"service={Uri.EscapeDataString(service)}");
        query.AddRange(scopes.Select(scope => $"scope={Uri.EscapeDataString(scope)}"));
        var address = new UriBuilder(realm) { Fragment = "" };
        address.Query = string.Join('&', address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Concat(query));
        var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        if (credential?.Basic is { } basic) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", basic);
        return request;
    }

    private async Task<EngineException> FailureAsync(
        HttpResponseMessage response, Uri realm, Credential? credential, Func<string, string> redact, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
            return new EngineException(EngineFault.Refused, $"the token service of {host} at {RemoteText.Shown(realm)} answers with a redirect, which is not followed");

        var said = RemoteErrors.Said(await SmallBody.ReadErrorAsync(response, options, cancellationToken), redact);
        return status is 400 or 401 or 403
            ? new EngineException(EngineFault.Denied, credential is null
                ? $"{host} gives no token to somebody who is not logged in{said}"
                : $"{host} does not accept this login{said}")
            : new EngineException(EngineFault.Network, $"the token service of {host} answers {status}{said}");
    }
}
