-- API keys: what a key is for, until when and from where, who made and ended it; when it was last used; and which of
-- the server's secrets it depends on.

alter table api_keys
  add column project_id uuid,
  add column family_id uuid default gen_random_uuid(),
  add column replaced_by uuid,
  add column environment text not null default 'live',
  -- Rows of the Go service have neither audience nor issuer that anybody knows: no token of theirs is accepted.
  add column audience text not null default 'tenant-registry',
  add column issuer_kid text,
  add column expires_at timestamptz(3),
  add column enabled boolean not null default true,
  add column ip_allow cidr[] not null default '{}',
  add column metadata jsonb not null default '{}',
  add column revoked_reason text,
  add column revoked_by text,
  add column created_by text,
  add column version integer not null default 1,
  add constraint api_keys_environment_check check (environment in ('live', 'test')),
  add constraint api_keys_metadata_check check (jsonb_typeof(metadata) = 'object'),
  add constraint api_keys_revoked_check check (revoked_at is not null or (revoked_reason is null and revoked_by is null)),
  -- Both columns, so that the project cannot be another tenant's; without a project nothing is asked.
  add constraint api_keys_project_fkey foreign key (tenant_id, project_id)
    references tenant_projects (tenant_id, id) on delete cascade;
comment on column api_keys.family_id is 'The first of the keys that were made from each other by rotation.';
comment on column api_keys.replaced_by is 'The key that took its place: a key is rotated once.';
comment on column api_keys.audience is 'Whom the key opens: a product, or the registry itself (tenant-registry).';
comment on column api_keys.issuer_kid is 'The key of the keyring that the token''s MAC was made with.';

alter table api_keys alter column family_id set not null;

create index api_keys_created_at_idx on api_keys (tenant_id, created_at desc, id desc);
drop index api_keys_tenant_id_idx;
create index api_keys_project_idx on api_keys (tenant_id, project_id) where project_id is not null;
create index api_keys_family_idx on api_keys (family_id);
create index api_keys_issuer_kid_idx on api_keys (issuer_kid) where revoked_at is null;

-- A better hash of the same secret is no new version of the key.
create trigger api_keys_keep_version
  before update of name, scopes, expires_at, enabled, ip_allow, metadata, revoked_at, replaced_by on api_keys
  for each row execute function registry.keep_version();

-- What must never change, whoever asks: a token would suddenly open something else. And what is revoked stays revoked.
create function registry.keep_api_key() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if (new.id, new.tenant_id, new.prefix, new.environment, new.audience, new.family_id)
    is distinct from (old.id, old.tenant_id, old.prefix, old.environment, old.audience, old.family_id)
    or new.project_id is distinct from old.project_id
  then
    raise exception 'a key keeps its tenant, project, environment, audience and prefix'
      using errcode = 'check_violation', schema = 'public', table = 'api_keys', constraint = 'api_keys_identity_check';
  end if;
  if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at then
    raise exception 'a revoked key stays revoked'
      using errcode = 'check_violation', schema = 'public', table = 'api_keys', constraint = 'api_keys_revoked_check';
  end if;
  return new;
end
$$;
create trigger api_keys_keep_identity before update on api_keys
  for each row execute function registry.keep_api_key();

create table registry.api_key_usage (
  api_key_id uuid not null,
  last_used_at timestamptz(3) not null,
  last_used_ip inet,
  constraint api_key_usage_pkey primary key (api_key_id),
  constraint api_key_usage_api_key_id_fkey foreign key (api_key_id) references api_keys (id) on delete cascade
);
comment on table registry.api_key_usage is 'When a key was last used, up to a minute late. Apart from the key: writing it changes nothing of the key.';

create table registry.secret_kids (
  kid text not null,
  check_value text not null,
  first_used_at timestamptz(3) not null default now(),
  constraint secret_kids_pkey primary key (kid)
);
comment on table registry.secret_kids is 'The keys of the keyring that something was made with, and what tells a mistyped one from the right one.';

-- Why all keys of a tenant from before keys_valid_after are dead.
alter table tenants
  add column keys_revoked_reason text,
  add column key_policy jsonb not null default '{}',
  add constraint tenants_key_policy_check check (jsonb_typeof(key_policy) = 'object');
comment on column tenants.key_policy is 'What every key of the tenant has to keep to: max_days, expiry_required.';

create function registry.say_why_keys_died() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.status = 'archived' and old.status <> 'archived' then
    new.keys_revoked_reason := 'tenant_archived';
  end if;
  -- The clock may have been set back since the latest of them was made.
  new.keys_valid_after := greatest(
    new.keys_valid_after, (select max(created_at) from public.api_keys where tenant_id = new.id)
  );
  return new;
end
$$;
-- After keep_lifecycle, by the order of the names.
create trigger tenants_keys_reason before update on tenants
  for each row when (new.keys_valid_after is distinct from old.keys_valid_after)
  execute function registry.say_why_keys_died();

-- How long a revocation takes to be heard is measured again and again, on a key made for it, by one replica at a time.
create table registry.revocation_probe (
  one boolean not null default true,
  held_until timestamptz(3) not null default '1970-01-01 00:00:00+00',
  constraint revocation_probe_pkey primary key (one),
  constraint revocation_probe_one_check check (one)
);
comment on table registry.revocation_probe is 'Until when one replica has the turn to try how quickly it hears of a change.';
insert into registry.revocation_probe default values;
