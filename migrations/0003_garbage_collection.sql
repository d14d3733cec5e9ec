-- Garbage collection looks at suspects. suspect_since: nothing may need the row, since then; null: something did at the last
-- look, and whoever takes that away sets it again. A review comes a grace later.
ALTER TABLE blob_links ADD COLUMN suspect_since timestamptz DEFAULT now();
UPDATE blob_links SET suspect_since = coalesce(deleted_at, touched_at);
CREATE INDEX blob_links_suspect ON blob_links (suspect_since) WHERE suspect_since IS NOT NULL;

-- A manifest is suspect while it is hidden, unless a hidden index holds it.
ALTER TABLE manifests ADD COLUMN suspect_since timestamptz;
UPDATE manifests SET suspect_since = deleted_at;
CREATE INDEX manifests_suspect ON manifests (suspect_since) WHERE suspect_since IS NOT NULL;

-- A blob becomes suspect when a link to it goes; it has no grace of its own.
-- quarantined_at: a scrub found other bytes than the digest says; not served until the next push of it.
-- scrub_at: when it is to be read again.
ALTER TABLE blobs
  ADD COLUMN suspect_since  timestamptz,
  ADD COLUMN quarantined_at timestamptz,
  ADD COLUMN scrub_at       timestamptz NOT NULL DEFAULT now();
CREATE INDEX blobs_suspect ON blobs (suspect_since) WHERE suspect_since IS NOT NULL;
CREATE INDEX blobs_quarantined ON blobs (quarantined_at) WHERE quarantined_at IS NOT NULL;
CREATE INDEX blobs_scrub ON blobs (scrub_at);

-- What a row stands for: 'location', one location's bytes; 'upload', everything session_id left; 'staging', its staging alone.
-- node: who is just deleting the bytes, with delete_after moved on; what a node has that is gone is due again.
ALTER TABLE doomed_locations
  ADD COLUMN node int,
  ADD COLUMN kind text NOT NULL DEFAULT 'location' CHECK (kind IN ('location', 'upload', 'staging')),
  ADD CHECK ((kind = 'location') = (session_id IS NULL));
UPDATE doomed_locations SET kind = 'upload' WHERE session_id IS NOT NULL;
CREATE INDEX doomed_locations_by_node ON doomed_locations (node) WHERE node IS NOT NULL;
CREATE INDEX doomed_locations_by_session ON doomed_locations (session_id) WHERE session_id IS NOT NULL;

-- One writer an upload. writer: the node whose request has it, null between requests; a node that is gone has nothing.
-- epoch counts the writers: what an earlier one still sends is refused.
ALTER TABLE upload_sessions
  ADD COLUMN writer int,
  ADD COLUMN epoch  bigint NOT NULL DEFAULT 0;

-- Numbers of nodes, each a running process; an advisory lock says that it still runs.
CREATE SEQUENCE node_numbers AS int CYCLE;

-- Which registry this is. Its store keeps the same: bytes that no row here names are only orphans in the store of this database.
CREATE TABLE registry_identity (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id  uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO registry_identity DEFAULT VALUES;

-- Long listings that the nodes do together, one page at a time: where the next page begins, and when it may.
CREATE TABLE work_cursors (
  name     text COLLATE "C" PRIMARY KEY,
  position text COLLATE "C" NOT NULL DEFAULT '',
  due_at   timestamptz NOT NULL DEFAULT now()
);

-- When a manifest lost its last tag.
CREATE INDEX tag_history_by_manifest ON tag_history (repository_id, manifest_digest) WHERE manifest_digest IS NOT NULL;
