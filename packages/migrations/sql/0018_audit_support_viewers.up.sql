-- The platform's people look into the whole log of a tenant, over all products, for minutes. Tables of their own: what a
-- product hands on (audit_viewers) always has a product, an environment and a group, and cannot come to have none.

create table registry.audit_support_viewers (
  id uuid not null,
  token_digest registry.audit_sha256 not null,
  stream_id uuid not null,
  product text,
  environment registry.audit_environment,
  issuer_id registry.audit_term not null,
  issuer_name text,
  issuer_role text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  constraint audit_support_viewers_pkey primary key (id),
  constraint audit_support_viewers_token_key unique (token_digest)
);
comment on table registry.audit_support_viewers is 'Which of the platform''s people may look into the whole log of a tenant now.';
comment on column registry.audit_support_viewers.token_digest is 'SHA-256 of the token: it has 128 random bits, so there is nothing to be guessed.';
comment on column registry.audit_support_viewers.stream_id is 'The stream of the tenant, whose id it has. The log stays when the tenant is gone.';
comment on column registry.audit_support_viewers.product is 'The one product whose events are seen; null for those of all, the registry among them.';
comment on column registry.audit_support_viewers.environment is 'The one environment whose events are seen; null for both.';
create index audit_support_viewers_expires_idx on registry.audit_support_viewers (expires_at);

create table registry.audit_support_exports (
  id uuid not null,
  viewer_id uuid not null,
  name text not null,
  body jsonb not null,
  saved_at timestamptz(3) not null default now(),
  constraint audit_support_exports_pkey primary key (id),
  constraint audit_support_exports_viewer_id_fkey foreign key (viewer_id)
    references registry.audit_support_viewers (id) on delete cascade
);
comment on table registry.audit_support_exports is 'Searches that were saved to have what they find as a file. They end with who saved them.';
create index audit_support_exports_viewer_idx on registry.audit_support_exports (viewer_id, saved_at desc, id desc);
