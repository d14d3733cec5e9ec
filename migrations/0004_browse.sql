-- Nodes of the version before go on meanwhile. Their transactions are waited for, and wait, here and nowhere later: tables in the order in which a push and the
-- close of an upload write to them. events, the last of both, is locked where it is changed, at the end: nothing writes to it first and to one of these then.
-- Below, no row is locked (foreign keys come after the rows): who has one may wait for this.
LOCK TABLE blobs, namespaces, repositories, manifests, blob_links, tags, tag_history IN SHARE ROW EXCLUSIVE MODE;

-- Counted after the fact: counters that each push moves would make the pushes to one repository wait for each other. size: all bytes that the repository
-- links and those of its manifests, what waits for its grace among them; own: those that no other repository links; reclaimable: those that nothing live
-- needs, here or elsewhere. manifests, tags: the live ones. stale_since: when something last changed that counted_at does not know of. Not counted again
-- before count_at, which is later while somebody counts and for a while after.
CREATE TABLE repository_statistics (
  repository_id bigint PRIMARY KEY,
  size          bigint NOT NULL DEFAULT 0,
  own           bigint NOT NULL DEFAULT 0,
  reclaimable   bigint NOT NULL DEFAULT 0,
  manifests     bigint NOT NULL DEFAULT 0,
  tags          bigint NOT NULL DEFAULT 0,
  pushed_at     timestamptz,
  pulled_at     timestamptz,
  pulls         bigint NOT NULL DEFAULT 0,
  counted_at    timestamptz,
  stale_since   timestamptz DEFAULT now(),
  count_at      timestamptz NOT NULL DEFAULT now()
);
-- What was never pushed or pulled sorts as if that had been longest ago, in both directions.
CREATE INDEX repository_statistics_by_size ON repository_statistics (size, repository_id);
CREATE INDEX repository_statistics_by_push ON repository_statistics (coalesce(pushed_at, '-infinity'), repository_id);
CREATE INDEX repository_statistics_by_pull ON repository_statistics (coalesce(pulled_at, '-infinity'), repository_id);
CREATE INDEX repository_statistics_stale ON repository_statistics (count_at) WHERE stale_since IS NOT NULL;
INSERT INTO repository_statistics (repository_id, pushed_at)
  SELECT r.id, (SELECT max(m.created_at) FROM manifests m WHERE m.repository_id = r.id) FROM repositories r;
ALTER TABLE repository_statistics ADD FOREIGN KEY (repository_id) REFERENCES repositories (id) ON DELETE CASCADE;

-- Pulls by tag, written by each node every few seconds; beside tags and not in it, whose rows every pull reads. pulled_at: -infinity where it never was.
-- Every tag has a row, made after its push. size: of what it names, as manifest_facts has it, kept for the order alone; 0 until it is known.
CREATE TABLE tag_pulls (
  repository_id bigint NOT NULL,
  name          text COLLATE "C" NOT NULL,
  pulled_at     timestamptz NOT NULL,
  pulls         bigint NOT NULL,
  size          bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (repository_id, name)
);
CREATE INDEX tag_pulls_by_time ON tag_pulls (repository_id, pulled_at, name);
CREATE INDEX tag_pulls_by_size ON tag_pulls (repository_id, size, name);
CREATE INDEX tags_by_time ON tags (repository_id, updated_at, name);
INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls) SELECT repository_id, name, '-infinity', 0 FROM tags;
ALTER TABLE tag_pulls ADD FOREIGN KEY (repository_id, name) REFERENCES tags (repository_id, name) ON DELETE CASCADE;

-- What listings say of a manifest and its payload alone does not. size: the manifest's and that of everything it holds, each digest once; for an index of all
-- images in it; null: not made yet. platforms: os/architecture[/variant], of the config or of the index. account, pushed_at: its last push. due_at: when it is
-- to be made; null: it is.
CREATE TABLE manifest_facts (
  repository_id bigint NOT NULL,
  digest        text COLLATE "C" NOT NULL,
  size          bigint,
  platforms     text[] NOT NULL DEFAULT '{}',
  image_created timestamptz,
  account       text COLLATE "C",
  pushed_at     timestamptz,
  due_at        timestamptz DEFAULT now(),
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX manifest_facts_due ON manifest_facts (due_at) WHERE due_at IS NOT NULL;
INSERT INTO manifest_facts (repository_id, digest, account, pushed_at)
  SELECT m.repository_id, m.digest, e.account, e.at FROM manifests m JOIN repositories r ON r.id = m.repository_id LEFT JOIN (
    SELECT DISTINCT ON (repository, digest) repository, digest, account, at FROM events WHERE kind = 'push' ORDER BY repository, digest, id DESC) e
    ON e.repository = r.name AND e.digest = m.digest;
ALTER TABLE manifest_facts ADD FOREIGN KEY (repository_id, digest) REFERENCES manifests (repository_id, digest) ON DELETE CASCADE;

-- What was deleted and can be restored, by repository: few among many. Removals of tags are kept for ever: at tells the index which are too old.
CREATE INDEX manifests_hidden ON manifests (repository_id, digest) WHERE deleted_at IS NOT NULL;
CREATE INDEX blob_links_hidden ON blob_links (repository_id, digest) WHERE deleted_at IS NOT NULL;
CREATE INDEX tag_history_removed ON tag_history (repository_id, name, id, at) WHERE manifest_digest IS NULL;

-- Markdown that maintainers wrote about a repository.
CREATE TABLE readmes (
  repository_id bigint PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  markdown      text NOT NULL,
  account       text COLLATE "C",
  updated_at    timestamptz NOT NULL DEFAULT now()
);

-- What is in a layer, by the digest of its blob: data of ours, made of the blob and made again at will. node: who reads it just now; what a node has that is
-- gone is waiting again. attempts: how often it was begun since it last began to wait anew. packages: what the package databases in it say, by their paths.
CREATE TABLE layer_listings (
  digest    text COLLATE "C" PRIMARY KEY REFERENCES blobs (digest) ON DELETE CASCADE,
  state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'ready', 'failed')),
  asked_at  timestamptz NOT NULL DEFAULT now(),
  urgent    boolean NOT NULL DEFAULT false,
  node      int,
  attempts  int NOT NULL DEFAULT 0,
  version   int NOT NULL DEFAULT 0,
  diff_id   text COLLATE "C",
  entries   bigint,
  bytes     bigint,
  packages  jsonb,
  error     text
);
CREATE INDEX layer_listings_waiting ON layer_listings (urgent DESC, asked_at) WHERE state IN ('waiting', 'reading');

-- Entries in the order of their paths, some hundred a page: one directory is a few pages, whatever the layer's size. first: the first path of the page, as bytes.
CREATE TABLE layer_pages (
  digest text COLLATE "C" NOT NULL REFERENCES layer_listings (digest) ON DELETE CASCADE,
  first  bytea NOT NULL,
  page   bytea NOT NULL,
  PRIMARY KEY (digest, first)
);

-- namespace_id null: for everything. secret signs, credential is sent as Authorization: both encrypted like signing keys, where a key is configured.
-- failed_since: the first failure after the last success. failing: that was long ago, and an event has told it.
CREATE TABLE webhooks (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace_id bigint REFERENCES namespaces (id) ON DELETE CASCADE,
  name         text NOT NULL,
  url          text NOT NULL,
  format       text NOT NULL CHECK (format IN ('distribution', 'cloudevents')),
  kinds        text[] NOT NULL,
  repositories text NOT NULL DEFAULT '*',
  secret       bytea NOT NULL,
  credential   bytea,
  active       boolean NOT NULL DEFAULT true,
  failed_since timestamptz,
  failing      boolean NOT NULL DEFAULT false,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_by_namespace ON webhooks (namespace_id, id);

-- The whole store, once an hour, for a plot over time. doomed: locations whose bytes are about to go.
CREATE TABLE storage_samples (
  at     timestamptz PRIMARY KEY DEFAULT now(),
  blobs  bigint NOT NULL,
  bytes  bigint NOT NULL,
  doomed bigint NOT NULL
);

-- Server processes, as they say themselves every few seconds.
CREATE TABLE nodes (
  number     int PRIMARY KEY,
  name       text NOT NULL,
  version    text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now()
);

-- Events are the outbox too: what follows from a change (deliveries of webhooks, counts, listings of layers) is made of those that are pending.
-- What happened before this migration is history.
LOCK TABLE events IN ACCESS EXCLUSIVE MODE;
ALTER TABLE events ADD COLUMN pending boolean NOT NULL DEFAULT false;
ALTER TABLE events ALTER COLUMN pending SET DEFAULT true;
CREATE INDEX events_pending ON events (id) WHERE pending;
-- The audit trail is read backwards from any place, by whatever is asked for: what is rare is not looked for among all. A push is in the first two, once more
-- when its event is followed; most else is in two as well.
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_repository ON events (repository, id) WHERE repository IS NOT NULL;
CREATE INDEX events_by_subject ON events (subject, id) WHERE subject IS NOT NULL;

-- One row a delivery, made in the transaction that takes its event from the outbox. message_id: what the receiver knows it by; a redelivery has the same.
-- due_at null: done with, as state says. node: who is sending it; what a node has that is gone is due again.
CREATE TABLE webhook_deliveries (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  webhook_id   bigint NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event_id     bigint REFERENCES events (id) ON DELETE SET NULL,
  message_id   uuid NOT NULL DEFAULT gen_random_uuid(),
  kind         text NOT NULL,
  content_type text NOT NULL,
  body         text NOT NULL,
  state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
  attempts     int NOT NULL DEFAULT 0,
  due_at       timestamptz DEFAULT now(),
  node         int,
  status       int,
  answer       text,
  error        text,
  milliseconds int,
  created_at   timestamptz NOT NULL DEFAULT now(),
  tried_at     timestamptz
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at) WHERE due_at IS NOT NULL AND node IS NULL;
CREATE INDEX webhook_deliveries_by_node ON webhook_deliveries (node) WHERE node IS NOT NULL;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at) WHERE due_at IS NULL;
