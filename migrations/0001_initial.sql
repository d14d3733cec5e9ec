-- Names, tags and digests sort and compare byte by byte ("C"): keyset pages need one order everywhere.

CREATE TABLE repositories (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text COLLATE "C" NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A visible row always has its bytes. A location is never used twice.
CREATE TABLE blobs (
  digest     text COLLATE "C" PRIMARY KEY,
  size       bigint NOT NULL CHECK (size >= 0),
  location   text COLLATE "C" NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A repository's right to a blob. deleted_at hides it; garbage collection removes it after its grace.
CREATE TABLE blob_links (
  repository_id bigint NOT NULL REFERENCES repositories (id),
  digest        text COLLATE "C" NOT NULL REFERENCES blobs (digest),
  created_at    timestamptz NOT NULL DEFAULT now(),
  touched_at    timestamptz NOT NULL DEFAULT now(),
  deleted_at    timestamptz,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX blob_links_by_digest ON blob_links (digest);

-- payload is the truth: the pushed bytes. The other columns are read from it once, at the push.
CREATE TABLE manifests (
  repository_id  bigint NOT NULL REFERENCES repositories (id),
  digest         text COLLATE "C" NOT NULL,
  media_type     text NOT NULL,
  artifact_type  text COLLATE "C",
  config_digest  text COLLATE "C",
  subject_digest text COLLATE "C",
  annotations    json,
  payload        bytea NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  touched_at     timestamptz NOT NULL DEFAULT now(),
  deleted_at     timestamptz,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX manifests_by_subject ON manifests (repository_id, subject_digest, digest)
  WHERE subject_digest IS NOT NULL AND deleted_at IS NULL;

-- What a manifest needs: blobs of its repository, or (an index) manifests of its repository. Non-distributable layers
-- and a subject have no row: they need not exist.
CREATE TABLE manifest_references (
  repository_id   bigint NOT NULL,
  manifest_digest text COLLATE "C" NOT NULL,
  blob_digest     text COLLATE "C",
  child_digest    text COLLATE "C",
  FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests (repository_id, digest) ON DELETE CASCADE,
  FOREIGN KEY (repository_id, blob_digest) REFERENCES blob_links (repository_id, digest),
  FOREIGN KEY (repository_id, child_digest) REFERENCES manifests (repository_id, digest),
  CHECK (num_nonnulls(blob_digest, child_digest) = 1)
);
CREATE INDEX manifest_references_by_manifest ON manifest_references (repository_id, manifest_digest);
CREATE INDEX manifest_references_by_blob ON manifest_references (repository_id, blob_digest)
  WHERE blob_digest IS NOT NULL;
CREATE INDEX manifest_references_by_child ON manifest_references (repository_id, child_digest)
  WHERE child_digest IS NOT NULL;

CREATE TABLE tags (
  repository_id   bigint NOT NULL,
  name            text COLLATE "C" NOT NULL,
  manifest_digest text COLLATE "C" NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (repository_id, name),
  FOREIGN KEY (repository_id, manifest_digest) REFERENCES manifests (repository_id, digest)
);
CREATE INDEX tags_by_manifest ON tags (repository_id, manifest_digest);

-- Every move of a tag; a null digest is its deletion.
CREATE TABLE tag_history (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id   bigint NOT NULL REFERENCES repositories (id),
  name            text COLLATE "C" NOT NULL,
  manifest_digest text COLLATE "C",
  account         text COLLATE "C",
  at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tag_history_by_tag ON tag_history (repository_id, name, id);

-- Unfinished uploads own their bytes. The row exists before the first byte and goes in the transaction that commits
-- or dooms them. An upload belongs to a repository by name: the repository is made by the first commit.
CREATE TABLE upload_sessions (
  id             uuid PRIMARY KEY,
  repository     text COLLATE "C" NOT NULL,
  account        text COLLATE "C",
  staging_offset bigint NOT NULL DEFAULT 0,
  algorithm      text NOT NULL,
  hash_state     bytea,
  backend_state  bytea,
  created_at     timestamptz NOT NULL DEFAULT now(),
  expires_at     timestamptz NOT NULL
);
CREATE INDEX upload_sessions_by_expiry ON upload_sessions (expires_at);

-- Bytes that nothing owns any more, until they are deleted. session_id: a staging to discard as well.
CREATE TABLE doomed_locations (
  location     text COLLATE "C" PRIMARY KEY,
  session_id   uuid,
  delete_after timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX doomed_locations_by_time ON doomed_locations (delete_after);

-- security_stamp changes with everything that must end an account's refresh tokens and cached logins.
CREATE TABLE accounts (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name             text COLLATE "C" NOT NULL UNIQUE,
  password_hash    text,
  is_administrator boolean NOT NULL DEFAULT false,
  security_stamp   uuid NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT now(),
  disabled_at      timestamptz
);

-- ES256 keys, shared by all nodes: the newest signs, all that have not retired verify.
CREATE TABLE signing_keys (
  id          text COLLATE "C" PRIMARY KEY,
  private_key bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  retired_at  timestamptz
);

CREATE TABLE events (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  kind       text NOT NULL,
  repository text COLLATE "C",
  digest     text COLLATE "C",
  tag        text COLLATE "C",
  account    text COLLATE "C",
  address    text,
  request_id text
);
