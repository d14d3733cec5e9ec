// A certified OpenID provider for the tests, with people who exist only in its memory.
//
//   node provider.mjs '{"alg": "RS256", "groupsInIdToken": true, "client": {...}}'
//
// Prints its issuer, then serves until its standard input ends. Beside the provider's own endpoints:
//   PUT  /test/people/SUB        the claims of somebody, as JSON
//   POST /test/rotate            signs with a new key, and does not show the old one any more
//   GET  /interaction/UID?as=SUB logs in as that person; without "as" the person says no, and a browser's is asked who it is

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const { alg, groupsInIdToken, client } = JSON.parse(process.argv[2]);
const people = new Map();
const server = createServer();
let current;

function newKey() {
  const { privateKey } = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg };
}

function newProvider(issuer) {
  const provider = new Provider(issuer, {
    clients: [{ ...client, id_token_signed_response_alg: alg, grant_types: ['authorization_code'], response_types: ['code'] }],
    jwks: { keys: [newKey()] },
    cookies: { keys: ['no secret: a test'] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email'] },
    conformIdTokenClaims: !groupsInIdToken,
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => people.has(sub) && { accountId: sub, claims: () => ({ sub, ...people.get(sub) }) },
    // Whoever logs in has consented to everything.
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  return provider;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

async function handle(request, response) {
  const url = new URL(request.url, 'http://any');
  const [, first, second, third] = url.pathname.split('/');
  if (first === 'interaction') {
    const sub = url.searchParams.get('as');
    if (sub === null && request.headers.accept?.includes('text/html')) {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      return response.end('<!DOCTYPE html><title>Who are you?</title><link rel="icon" href="data:,"><form><input name="as"><button>Log in</button></form>');
    }

    // Native clients have to be consented to each time.
    const result = sub ? { login: { accountId: sub }, consent: {} } : { error: 'access_denied' };
    return current.interactionFinished(request, response, result);
  }

  if (first !== 'test') return current.callback()(request, response);
  if (second === 'people') people.set(decodeURIComponent(third), await bodyOf(request));
  if (second === 'rotate') current = newProvider(current.issuer);
  return response.writeHead(204).end();
}

server.on('request', (request, response) => {
  handle(request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
});
server.listen(0, '127.0.0.1', () => {
  current = newProvider(`http://127.0.0.1:${server.address().port}`);
  console.log(current.issuer);
});
process.stdin.resume().on('end', () => process.exit(0));
