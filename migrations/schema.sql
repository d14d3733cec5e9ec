-- Made from the migrations by the command in README.md; not for editing, and nothing runs it.

CREATE TABLE public.access_changes (
    revision bigint NOT NULL,
    account text COLLATE pg_catalog."C",
    namespace text COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.access_revision (
    one boolean DEFAULT true NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT access_revision_one_check CHECK (one)
);

CREATE TABLE public.access_rules (
    id bigint NOT NULL,
    namespace_id bigint NOT NULL,
    pattern text NOT NULL COLLATE pg_catalog."C",
    applies_to text[] NOT NULL,
    denied text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT access_rules_applies_to_check CHECK (((applies_to <@ ARRAY['public'::text, 'reader'::text, 'writer'::text, 'maintainer'::text]) AND (applies_to <> '{}'::text[]))),
    CONSTRAINT access_rules_denied_check CHECK (((denied <@ ARRAY['pull'::text, 'push'::text, 'delete'::text]) AND (denied <> '{}'::text[])))
);

ALTER TABLE public.access_rules ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.access_rules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.access_tokens (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone
);

ALTER TABLE public.access_tokens ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.access_tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.account_groups (
    account_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.account_identities (
    provider text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    account_id bigint NOT NULL
);

CREATE TABLE public.accounts (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    password_hash text,
    is_administrator boolean DEFAULT false NOT NULL,
    security_stamp uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone,
    kind text DEFAULT 'person'::text NOT NULL,
    namespace_id bigint,
    creates_namespaces boolean DEFAULT false NOT NULL,
    display_name text,
    email text,
    CONSTRAINT accounts_check CHECK (((kind = 'robot'::text) = (namespace_id IS NOT NULL))),
    CONSTRAINT accounts_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'robot'::text])))
);

ALTER TABLE public.accounts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.accounts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.blob_links (
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    suspect_since timestamp with time zone DEFAULT now()
);

CREATE TABLE public.blobs (
    digest text NOT NULL COLLATE pg_catalog."C",
    size bigint NOT NULL,
    location text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    suspect_since timestamp with time zone,
    quarantined_at timestamp with time zone,
    scrub_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT blobs_size_check CHECK ((size >= 0))
);

CREATE TABLE public.data_protection_keys (
    id bigint NOT NULL,
    name text NOT NULL,
    xml text NOT NULL
);

ALTER TABLE public.data_protection_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.data_protection_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.doomed_locations (
    location text NOT NULL COLLATE pg_catalog."C",
    session_id uuid,
    delete_after timestamp with time zone DEFAULT now() NOT NULL,
    node integer,
    kind text DEFAULT 'location'::text NOT NULL,
    CONSTRAINT doomed_locations_check CHECK (((kind = 'location'::text) = (session_id IS NULL))),
    CONSTRAINT doomed_locations_kind_check CHECK ((kind = ANY (ARRAY['location'::text, 'upload'::text, 'staging'::text])))
);

CREATE TABLE public.events (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    kind text NOT NULL,
    repository text COLLATE pg_catalog."C",
    digest text COLLATE pg_catalog."C",
    tag text COLLATE pg_catalog."C",
    account text COLLATE pg_catalog."C",
    address text,
    request_id text,
    namespace text COLLATE pg_catalog."C",
    subject text,
    client text,
    detail text,
    pending boolean DEFAULT true NOT NULL
);

ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.layer_listings (
    digest text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'waiting'::text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    urgent boolean DEFAULT false NOT NULL,
    node integer,
    attempts integer DEFAULT 0 NOT NULL,
    version integer DEFAULT 0 NOT NULL,
    diff_id text COLLATE pg_catalog."C",
    entries bigint,
    bytes bigint,
    packages jsonb,
    error text,
    CONSTRAINT layer_listings_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'reading'::text, 'ready'::text, 'failed'::text])))
);

CREATE TABLE public.layer_pages (
    digest text NOT NULL COLLATE pg_catalog."C",
    first bytea NOT NULL,
    page bytea NOT NULL
);

CREATE TABLE public.manifest_facts (
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    size bigint,
    platforms text[] DEFAULT '{}'::text[] NOT NULL,
    image_created timestamp with time zone,
    account text COLLATE pg_catalog."C",
    pushed_at timestamp with time zone,
    due_at timestamp with time zone DEFAULT now()
);

CREATE TABLE public.manifest_references (
    repository_id bigint NOT NULL,
    manifest_digest text NOT NULL COLLATE pg_catalog."C",
    blob_digest text COLLATE pg_catalog."C",
    child_digest text COLLATE pg_catalog."C",
    CONSTRAINT manifest_references_check CHECK ((num_nonnulls(blob_digest, child_digest) = 1))
);

CREATE TABLE public.manifests (
    repository_id bigint NOT NULL,
    digest text NOT NULL COLLATE pg_catalog."C",
    media_type text NOT NULL,
    artifact_type text COLLATE pg_catalog."C",
    config_digest text COLLATE pg_catalog."C",
    subject_digest text COLLATE pg_catalog."C",
    annotations json,
    payload bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    suspect_since timestamp with time zone
);

CREATE TABLE public.memberships (
    id bigint NOT NULL,
    namespace_id bigint NOT NULL,
    account_id bigint,
    group_name text COLLATE pg_catalog."C",
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT memberships_check CHECK ((num_nonnulls(account_id, group_name) = 1)),
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['reader'::text, 'writer'::text, 'maintainer'::text])))
);

ALTER TABLE public.memberships ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.memberships_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.namespaces (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    visibility text DEFAULT 'private'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT namespaces_visibility_check CHECK ((visibility = ANY (ARRAY['private'::text, 'public'::text])))
);

ALTER TABLE public.namespaces ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.namespaces_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.node_numbers
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;

CREATE TABLE public.nodes (
    number integer NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.readmes (
    repository_id bigint NOT NULL,
    markdown text NOT NULL,
    account text COLLATE pg_catalog."C",
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.registry_identity (
    one boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT registry_identity_one_check CHECK (one)
);

CREATE TABLE public.repositories (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    namespace_id bigint NOT NULL
);

ALTER TABLE public.repositories ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.repositories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.repository_statistics (
    repository_id bigint NOT NULL,
    size bigint DEFAULT 0 NOT NULL,
    own bigint DEFAULT 0 NOT NULL,
    reclaimable bigint DEFAULT 0 NOT NULL,
    manifests bigint DEFAULT 0 NOT NULL,
    tags bigint DEFAULT 0 NOT NULL,
    pushed_at timestamp with time zone,
    pulled_at timestamp with time zone,
    pulls bigint DEFAULT 0 NOT NULL,
    counted_at timestamp with time zone,
    stale_since timestamp with time zone DEFAULT now(),
    count_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.signing_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    private_key bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone
);

CREATE TABLE public.storage_samples (
    at timestamp with time zone DEFAULT now() NOT NULL,
    blobs bigint NOT NULL,
    bytes bigint NOT NULL,
    doomed bigint NOT NULL
);

CREATE TABLE public.tag_history (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    manifest_digest text COLLATE pg_catalog."C",
    account text COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.tag_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tag_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tag_pulls (
    repository_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    pulled_at timestamp with time zone NOT NULL,
    pulls bigint NOT NULL,
    size bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.tags (
    repository_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    manifest_digest text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.trusts (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    issuer text NOT NULL COLLATE pg_catalog."C",
    claims jsonb NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.trusts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.trusts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.upload_sessions (
    id uuid NOT NULL,
    repository text NOT NULL COLLATE pg_catalog."C",
    account text COLLATE pg_catalog."C",
    staging_offset bigint DEFAULT 0 NOT NULL,
    algorithm text NOT NULL,
    hash_state bytea,
    backend_state bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    writer integer,
    epoch bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.webhook_deliveries (
    id bigint NOT NULL,
    webhook_id bigint NOT NULL,
    event_id bigint,
    message_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    content_type text NOT NULL,
    body text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    node integer,
    status integer,
    answer text,
    error text,
    milliseconds integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    tried_at timestamp with time zone,
    CONSTRAINT webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given_up'::text])))
);

ALTER TABLE public.webhook_deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhooks (
    id bigint NOT NULL,
    namespace_id bigint,
    name text NOT NULL,
    url text NOT NULL,
    format text NOT NULL,
    kinds text[] NOT NULL,
    repositories text DEFAULT '*'::text NOT NULL,
    secret bytea NOT NULL,
    credential bytea,
    active boolean DEFAULT true NOT NULL,
    failed_since timestamp with time zone,
    failing boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhooks_format_check CHECK ((format = ANY (ARRAY['distribution'::text, 'cloudevents'::text])))
);

ALTER TABLE public.webhooks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhooks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.work_cursors (
    name text NOT NULL COLLATE pg_catalog."C",
    "position" text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    due_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.access_changes
    ADD CONSTRAINT access_changes_pkey PRIMARY KEY (revision);

ALTER TABLE ONLY public.access_revision
    ADD CONSTRAINT access_revision_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.access_rules
    ADD CONSTRAINT access_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.account_groups
    ADD CONSTRAINT account_groups_pkey PRIMARY KEY (account_id, name);

ALTER TABLE ONLY public.account_identities
    ADD CONSTRAINT account_identities_pkey PRIMARY KEY (provider, subject);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_name_key UNIQUE (name);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.blob_links
    ADD CONSTRAINT blob_links_pkey PRIMARY KEY (repository_id, digest);

ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT blobs_location_key UNIQUE (location);

ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.data_protection_keys
    ADD CONSTRAINT data_protection_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.doomed_locations
    ADD CONSTRAINT doomed_locations_pkey PRIMARY KEY (location);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.layer_listings
    ADD CONSTRAINT layer_listings_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.layer_pages
    ADD CONSTRAINT layer_pages_pkey PRIMARY KEY (digest, first);

ALTER TABLE ONLY public.manifest_facts
    ADD CONSTRAINT manifest_facts_pkey PRIMARY KEY (repository_id, digest);

ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (repository_id, digest);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_namespace_id_account_id_key UNIQUE (namespace_id, account_id);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_namespace_id_group_name_key UNIQUE (namespace_id, group_name);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.namespaces
    ADD CONSTRAINT namespaces_name_key UNIQUE (name);

ALTER TABLE ONLY public.namespaces
    ADD CONSTRAINT namespaces_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.readmes
    ADD CONSTRAINT readmes_pkey PRIMARY KEY (repository_id);

ALTER TABLE ONLY public.registry_identity
    ADD CONSTRAINT registry_identity_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT repositories_name_key UNIQUE (name);

ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT repositories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.repository_statistics
    ADD CONSTRAINT repository_statistics_pkey PRIMARY KEY (repository_id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.storage_samples
    ADD CONSTRAINT storage_samples_pkey PRIMARY KEY (at);

ALTER TABLE ONLY public.tag_history
    ADD CONSTRAINT tag_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tag_pulls
    ADD CONSTRAINT tag_pulls_pkey PRIMARY KEY (repository_id, name);

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (repository_id, name);

ALTER TABLE ONLY public.trusts
    ADD CONSTRAINT trusts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.upload_sessions
    ADD CONSTRAINT upload_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.work_cursors
    ADD CONSTRAINT work_cursors_pkey PRIMARY KEY (name);

CREATE INDEX access_rules_by_namespace ON public.access_rules USING btree (namespace_id, id);

CREATE INDEX access_tokens_by_account ON public.access_tokens USING btree (account_id, id);

CREATE INDEX account_identities_by_account ON public.account_identities USING btree (account_id);

CREATE INDEX accounts_by_namespace ON public.accounts USING btree (namespace_id) WHERE (namespace_id IS NOT NULL);

CREATE INDEX blob_links_by_digest ON public.blob_links USING btree (digest);

CREATE INDEX blob_links_hidden ON public.blob_links USING btree (repository_id, digest) WHERE (deleted_at IS NOT NULL);

CREATE INDEX blob_links_suspect ON public.blob_links USING btree (suspect_since) WHERE (suspect_since IS NOT NULL);

CREATE INDEX blobs_quarantined ON public.blobs USING btree (quarantined_at) WHERE (quarantined_at IS NOT NULL);

CREATE INDEX blobs_scrub ON public.blobs USING btree (scrub_at);

CREATE INDEX blobs_suspect ON public.blobs USING btree (suspect_since) WHERE (suspect_since IS NOT NULL);

CREATE INDEX doomed_locations_by_node ON public.doomed_locations USING btree (node) WHERE (node IS NOT NULL);

CREATE INDEX doomed_locations_by_session ON public.doomed_locations USING btree (session_id) WHERE (session_id IS NOT NULL);

CREATE INDEX doomed_locations_by_time ON public.doomed_locations USING btree (delete_after);

CREATE INDEX events_by_account ON public.events USING btree (account, id);

CREATE INDEX events_by_kind ON public.events USING btree (kind, id);

CREATE INDEX events_by_namespace ON public.events USING btree (namespace, id);

CREATE INDEX events_by_repository ON public.events USING btree (repository, id) WHERE (repository IS NOT NULL);

CREATE INDEX events_by_subject ON public.events USING btree (subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX events_pending ON public.events USING btree (id) WHERE pending;

CREATE INDEX layer_listings_waiting ON public.layer_listings USING btree (urgent DESC, asked_at) WHERE (state = ANY (ARRAY['waiting'::text, 'reading'::text]));

CREATE INDEX manifest_facts_due ON public.manifest_facts USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX manifest_references_by_blob ON public.manifest_references USING btree (repository_id, blob_digest) WHERE (blob_digest IS NOT NULL);

CREATE INDEX manifest_references_by_child ON public.manifest_references USING btree (repository_id, child_digest) WHERE (child_digest IS NOT NULL);

CREATE INDEX manifest_references_by_manifest ON public.manifest_references USING btree (repository_id, manifest_digest);

CREATE INDEX manifests_by_subject ON public.manifests USING btree (repository_id, subject_digest, digest) WHERE ((subject_digest IS NOT NULL) AND (deleted_at IS NULL));

CREATE INDEX manifests_hidden ON public.manifests USING btree (repository_id, digest) WHERE (deleted_at IS NOT NULL);

CREATE INDEX manifests_suspect ON public.manifests USING btree (suspect_since) WHERE (suspect_since IS NOT NULL);

CREATE INDEX memberships_by_account ON public.memberships USING btree (account_id) WHERE (account_id IS NOT NULL);

CREATE INDEX memberships_by_group ON public.memberships USING btree (group_name) WHERE (group_name IS NOT NULL);

CREATE INDEX repositories_by_namespace ON public.repositories USING btree (namespace_id, name);

CREATE INDEX repository_statistics_by_pull ON public.repository_statistics USING btree (COALESCE(pulled_at, '-infinity'::timestamp with time zone), repository_id);

CREATE INDEX repository_statistics_by_push ON public.repository_statistics USING btree (COALESCE(pushed_at, '-infinity'::timestamp with time zone), repository_id);

CREATE INDEX repository_statistics_by_size ON public.repository_statistics USING btree (size, repository_id);

CREATE INDEX repository_statistics_stale ON public.repository_statistics USING btree (count_at) WHERE (stale_since IS NOT NULL);

CREATE INDEX tag_history_by_manifest ON public.tag_history USING btree (repository_id, manifest_digest) WHERE (manifest_digest IS NOT NULL);

CREATE INDEX tag_history_by_tag ON public.tag_history USING btree (repository_id, name, id);

CREATE INDEX tag_history_removed ON public.tag_history USING btree (repository_id, name, id, at) WHERE (manifest_digest IS NULL);

CREATE INDEX tag_pulls_by_size ON public.tag_pulls USING btree (repository_id, size, name);

CREATE INDEX tag_pulls_by_time ON public.tag_pulls USING btree (repository_id, pulled_at, name);

CREATE INDEX tags_by_manifest ON public.tags USING btree (repository_id, manifest_digest);

CREATE INDEX tags_by_time ON public.tags USING btree (repository_id, updated_at, name);

CREATE INDEX trusts_by_account ON public.trusts USING btree (account_id, id);

CREATE INDEX trusts_by_issuer ON public.trusts USING btree (issuer, id);

CREATE INDEX upload_sessions_by_expiry ON public.upload_sessions USING btree (expires_at);

CREATE INDEX webhook_deliveries_by_age ON public.webhook_deliveries USING btree (created_at) WHERE (due_at IS NULL);

CREATE INDEX webhook_deliveries_by_event ON public.webhook_deliveries USING btree (event_id) WHERE (event_id IS NOT NULL);

CREATE INDEX webhook_deliveries_by_node ON public.webhook_deliveries USING btree (node) WHERE (node IS NOT NULL);

CREATE INDEX webhook_deliveries_by_webhook ON public.webhook_deliveries USING btree (webhook_id, id);

CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (webhook_id, due_at) WHERE ((due_at IS NOT NULL) AND (node IS NULL));

CREATE INDEX webhooks_by_namespace ON public.webhooks USING btree (namespace_id, id);

ALTER TABLE ONLY public.access_rules
    ADD CONSTRAINT access_rules_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES public.namespaces(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.account_groups
    ADD CONSTRAINT account_groups_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.account_identities
    ADD CONSTRAINT account_identities_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES public.namespaces(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.blob_links
    ADD CONSTRAINT blob_links_digest_fkey FOREIGN KEY (digest) REFERENCES public.blobs(digest);

ALTER TABLE ONLY public.blob_links
    ADD CONSTRAINT blob_links_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.layer_listings
    ADD CONSTRAINT layer_listings_digest_fkey FOREIGN KEY (digest) REFERENCES public.blobs(digest) ON DELETE CASCADE;

ALTER TABLE ONLY public.layer_pages
    ADD CONSTRAINT layer_pages_digest_fkey FOREIGN KEY (digest) REFERENCES public.layer_listings(digest) ON DELETE CASCADE;

ALTER TABLE ONLY public.manifest_facts
    ADD CONSTRAINT manifest_facts_repository_id_digest_fkey FOREIGN KEY (repository_id, digest) REFERENCES public.manifests(repository_id, digest) ON DELETE CASCADE;

ALTER TABLE ONLY public.manifest_references
    ADD CONSTRAINT manifest_references_repository_id_blob_digest_fkey FOREIGN KEY (repository_id, blob_digest) REFERENCES public.blob_links(repository_id, digest);

ALTER TABLE ONLY public.manifest_references
    ADD CONSTRAINT manifest_references_repository_id_child_digest_fkey FOREIGN KEY (repository_id, child_digest) REFERENCES public.manifests(repository_id, digest);

ALTER TABLE ONLY public.manifest_references
    ADD CONSTRAINT manifest_references_repository_id_manifest_digest_fkey FOREIGN KEY (repository_id, manifest_digest) REFERENCES public.manifests(repository_id, digest) ON DELETE CASCADE;

ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES public.namespaces(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.readmes
    ADD CONSTRAINT readmes_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT repositories_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES public.namespaces(id);

ALTER TABLE ONLY public.repository_statistics
    ADD CONSTRAINT repository_statistics_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tag_history
    ADD CONSTRAINT tag_history_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.tag_pulls
    ADD CONSTRAINT tag_pulls_repository_id_name_fkey FOREIGN KEY (repository_id, name) REFERENCES public.tags(repository_id, name) ON DELETE CASCADE;

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_repository_id_manifest_digest_fkey FOREIGN KEY (repository_id, manifest_digest) REFERENCES public.manifests(repository_id, digest);

ALTER TABLE ONLY public.trusts
    ADD CONSTRAINT trusts_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.events(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_namespace_id_fkey FOREIGN KEY (namespace_id) REFERENCES public.namespaces(id) ON DELETE CASCADE;
