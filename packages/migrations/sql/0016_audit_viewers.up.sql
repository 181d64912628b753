-- Who looks into the log of one group by Retraced's wire: for minutes in a viewer, for as long as they are not ended with
-- an enterprise token; and the exports that viewers saved.

create table registry.audit_viewers (
  id uuid not null,
  token_digest registry.audit_sha256 not null,
  product text not null,
  environment registry.audit_environment not null,
  group_id registry.audit_term not null,
  tenant_id uuid,
  target_id registry.audit_term,
  actor_id registry.audit_term,
  is_admin boolean not null,
  view_log_action registry.audit_term not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  constraint audit_viewers_pkey primary key (id),
  constraint audit_viewers_token_key unique (token_digest),
  constraint audit_viewers_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
comment on table registry.audit_viewers is 'Who may look into the log of a group now. What a session says of itself is compared with this on every request.';
comment on column registry.audit_viewers.token_digest is 'SHA-256 of the token: it has 128 random bits, so there is nothing to be guessed.';
comment on column registry.audit_viewers.tenant_id is 'The tenant that the group is, if it is one: as it was when the token was made.';
create index audit_viewers_expires_at_idx on registry.audit_viewers (expires_at);
create index audit_viewers_actor_idx on registry.audit_viewers (product, environment, group_id, actor_id);
create index audit_viewers_tenant_idx on registry.audit_viewers (tenant_id) where tenant_id is not null;

create table registry.audit_enterprise_tokens (
  api_key_id uuid not null,
  product text not null,
  environment registry.audit_environment not null,
  group_id registry.audit_term not null,
  tenant_id uuid,
  display_name text not null,
  view_log_action registry.audit_term not null,
  sealed bytea,
  kid text,
  created_at timestamptz(3) not null default now(),
  constraint audit_enterprise_tokens_pkey primary key (api_key_id),
  constraint audit_enterprise_tokens_api_key_id_fkey foreign key (api_key_id) references api_keys (id) on delete cascade,
  constraint audit_enterprise_tokens_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade,
  constraint audit_enterprise_tokens_sealed_check check ((sealed is null) = (kid is null))
);
comment on table registry.audit_enterprise_tokens is 'What an API key of the platform''s own that reads one group''s log belongs to. Without its row here such a key opens nothing.';
comment on column registry.audit_enterprise_tokens.sealed is 'The token under a key of the keyring: Retraced''s wire shows it again to who made it. Null where it is shown once.';
create index audit_enterprise_tokens_group_idx on registry.audit_enterprise_tokens (product, environment, group_id, created_at);
create index audit_enterprise_tokens_tenant_idx on registry.audit_enterprise_tokens (tenant_id) where tenant_id is not null;

create table registry.audit_exports (
  id uuid not null,
  product text not null,
  environment registry.audit_environment not null,
  group_id registry.audit_term not null,
  tenant_id uuid,
  target_id registry.audit_term,
  name text not null,
  body jsonb not null,
  saved_by registry.audit_term,
  saved_at timestamptz(3) not null default now(),
  constraint audit_exports_pkey primary key (id),
  constraint audit_exports_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
comment on table registry.audit_exports is 'Searches that a viewer saved under a name, to have what they find as a file. The file is made each time.';
create index audit_exports_group_idx on registry.audit_exports (product, environment, group_id, saved_at desc, id desc);
create index audit_exports_tenant_idx on registry.audit_exports (tenant_id) where tenant_id is not null;
