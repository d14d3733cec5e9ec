-- The first component of a repository's name, and the unit of membership.
CREATE TABLE namespaces (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text COLLATE "C" NOT NULL UNIQUE,
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO namespaces (name) SELECT DISTINCT split_part(name, '/', 1) FROM repositories;

ALTER TABLE repositories ADD COLUMN namespace_id bigint REFERENCES namespaces (id);
UPDATE repositories r SET namespace_id = n.id FROM namespaces n WHERE n.name = split_part(r.name, '/', 1);
ALTER TABLE repositories ALTER COLUMN namespace_id SET NOT NULL;
CREATE INDEX repositories_by_namespace ON repositories (namespace_id, name);

-- A robot belongs to a namespace and goes with it; a person belongs to none. Neither needs a password: people may come
-- from a directory, robots have access tokens.
ALTER TABLE accounts
  ADD COLUMN kind               text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'robot')),
  ADD COLUMN namespace_id       bigint REFERENCES namespaces (id) ON DELETE CASCADE,
  ADD COLUMN creates_namespaces boolean NOT NULL DEFAULT false,
  ADD COLUMN display_name       text,
  ADD COLUMN email              text,
  ADD CHECK ((kind = 'robot') = (namespace_id IS NOT NULL));
CREATE INDEX accounts_by_namespace ON accounts (namespace_id) WHERE namespace_id IS NOT NULL;

-- Who an account is at a provider of logins (OpenID Connect, LDAP); the subject never changes there, names may.
CREATE TABLE account_identities (
  provider   text COLLATE "C" NOT NULL,
  subject    text COLLATE "C" NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  PRIMARY KEY (provider, subject)
);
CREATE INDEX account_identities_by_account ON account_identities (account_id);

-- The groups of an account as its provider named them at its last login there: "provider/group".
CREATE TABLE account_groups (
  account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name       text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, name)
);

-- Who has which role in a namespace: an account, or everybody in a group.
CREATE TABLE memberships (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace_id bigint NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
  account_id   bigint REFERENCES accounts (id) ON DELETE CASCADE,
  group_name   text COLLATE "C",
  role         text NOT NULL CHECK (role IN ('reader', 'writer', 'maintainer')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(account_id, group_name) = 1),
  UNIQUE (namespace_id, account_id),
  UNIQUE (namespace_id, group_name)
);
CREATE INDEX memberships_by_account ON memberships (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX memberships_by_group ON memberships (group_name) WHERE group_name IS NOT NULL;

-- Takes actions away from roles, in the repositories that match.
CREATE TABLE access_rules (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace_id bigint NOT NULL REFERENCES namespaces (id) ON DELETE CASCADE,
  pattern      text COLLATE "C" NOT NULL,
  applies_to   text[] NOT NULL CHECK (applies_to <@ ARRAY['public', 'reader', 'writer', 'maintainer'] AND applies_to <> '{}'),
  denied       text[] NOT NULL CHECK (denied <@ ARRAY['pull', 'push', 'delete'] AND denied <> '{}'),
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX access_rules_by_namespace ON access_rules (namespace_id, id);

-- Personal and robot access tokens. hash is the SHA-256 of the text, which is random enough to need no salt.
CREATE TABLE access_tokens (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name         text NOT NULL,
  hash         bytea NOT NULL UNIQUE,
  scopes       text[] NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz,
  last_used_at timestamptz
);
CREATE INDEX access_tokens_by_account ON access_tokens (account_id, id);

-- Keyless logins: tokens of a configured issuer whose claims match ({"claim": "pattern"}) stand for the account.
CREATE TABLE trusts (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  issuer     text COLLATE "C" NOT NULL,
  claims     jsonb NOT NULL,
  scopes     text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX trusts_by_issuer ON trusts (issuer, id);
CREATE INDEX trusts_by_account ON trusts (account_id, id);

-- Counts the changes of access. The one row is locked by each change until it commits, so revisions become visible in
-- their order: who knows revision n knows all before it.
CREATE TABLE access_revision (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  revision bigint NOT NULL
);
INSERT INTO access_revision (revision) VALUES (0);

-- What changed lately: bearer tokens decided upon before are looked at again. Rows older than any bearer token go.
CREATE TABLE access_changes (
  revision  bigint PRIMARY KEY,
  account   text COLLATE "C",
  namespace text COLLATE "C",
  at        timestamptz NOT NULL DEFAULT now()
);

-- Keys of ASP.NET Core's data protection (session cookies), shared by all nodes.
CREATE TABLE data_protection_keys (
  id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  xml  text NOT NULL
);

-- subject: whom or what a change of access was about. client: the User-Agent.
ALTER TABLE events
  ADD COLUMN namespace text COLLATE "C",
  ADD COLUMN subject   text,
  ADD COLUMN client    text,
  ADD COLUMN detail    text;
UPDATE events SET namespace = split_part(repository, '/', 1) WHERE repository IS NOT NULL;
CREATE INDEX events_by_namespace ON events (namespace, id);
CREATE INDEX events_by_account ON events (account, id);
