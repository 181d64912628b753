// Made by packages/migrations/scripts/embed.ts from packages/migrations/sql/*.sql. Do not edit.
import type { Migration } from './migration.ts'

/** Every migration of this package, in order. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: '0001_init',
    checksum: 'e21c91224916c171869a8d4e742c9e9bd289bb704909c63334b9e4a2e527ea30',
    up: `-- The schema of the Go service: six tables, four enums, and the triggers that keep updated_at.

create type tenant_status as enum ('demo', 'trial', 'active', 'frozen', 'archived');
create type tenant_kind as enum ('customer', 'demo');
create type idp_kind as enum ('oidc', 'saml');
create type tenant_project_status as enum ('active', 'archived');

create function set_updated_at() returns trigger
language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create table tenants (
  id uuid not null default gen_random_uuid(),
  slug text not null,
  name text not null,
  status tenant_status not null default 'trial',
  kind tenant_kind not null default 'customer',
  plan text,
  erp_id text,
  stripe_id text,
  trial_ends_at timestamptz,
  contract_starts_at timestamptz,
  contract_ends_at timestamptz,
  sales_owner text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenants_pkey primary key (id),
  constraint tenants_slug_key unique (slug),
  constraint tenants_erp_id_key unique (erp_id),
  constraint tenants_stripe_id_key unique (stripe_id),
  constraint tenants_slug_check check (slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$')
);

create table tenant_projects (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  slug text not null,
  name text not null,
  status tenant_project_status not null default 'active',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenant_projects_pkey primary key (id),
  constraint tenant_projects_tenant_id_slug_key unique (tenant_id, slug),
  constraint tenant_projects_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);

create table tenant_products (
  tenant_id uuid not null,
  product text not null,
  config jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenant_products_pkey primary key (tenant_id, product),
  constraint tenant_products_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);

create index tenant_products_product_idx on tenant_products (product, tenant_id);

create table tenant_idp_config (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  kind idp_kind not null,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenant_idp_config_pkey primary key (id),
  constraint tenant_idp_config_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);

create index tenant_idp_config_tenant_id_idx on tenant_idp_config (tenant_id);

create table api_keys (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  name text not null default '',
  prefix text not null,
  hash text not null,
  scopes text[] not null default '{}',
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint api_keys_pkey primary key (id),
  constraint api_keys_prefix_key unique (prefix),
  constraint api_keys_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);

create index api_keys_tenant_id_idx on api_keys (tenant_id);

-- The shape of a Retraced event. Its rows outlive the tenant they tell of.
create table audit_log (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid,
  product text not null,
  action text not null,
  crud text not null,
  group_id text,
  group_name text,
  actor_id text,
  actor_name text,
  actor_href text,
  actor_fields jsonb,
  target_id text,
  target_name text,
  target_href text,
  target_type text,
  target_fields jsonb,
  source_ip text,
  description text,
  component text,
  version text,
  external_id text,
  is_anonymous boolean,
  is_failure boolean,
  fields jsonb,
  metadata jsonb,
  created_at timestamptz,
  received_at timestamptz not null default now(),
  constraint audit_log_pkey primary key (id),
  constraint audit_log_crud_check check (crud in ('c', 'r', 'u', 'd')),
  constraint audit_log_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete set null
);

create index audit_log_tenant_id_received_at_idx on audit_log (tenant_id, received_at desc);
create index audit_log_product_received_at_idx on audit_log (product, received_at desc);

create trigger tenants_set_updated_at before update on tenants
  for each row execute function set_updated_at();
create trigger tenant_projects_set_updated_at before update on tenant_projects
  for each row execute function set_updated_at();
create trigger tenant_products_set_updated_at before update on tenant_products
  for each row execute function set_updated_at();
create trigger tenant_idp_config_set_updated_at before update on tenant_idp_config
  for each row execute function set_updated_at();
create trigger api_keys_set_updated_at before update on api_keys
  for each row execute function set_updated_at();
`,
    down: `drop table audit_log;
drop table api_keys;
drop table tenant_idp_config;
drop table tenant_products;
drop table tenant_projects;
drop table tenants;
drop function set_updated_at();
drop type tenant_project_status;
drop type idp_kind;
drop type tenant_kind;
drop type tenant_status;
`,
  },
  {
    version: 2,
    name: '0002_registry_schema',
    checksum: 'b79a701336f772514d94cdfbb9710130ec4107634e15b5ed7014286a48d93181',
    up: `-- Two things that are dear to change once there are many rows: where our own tables live, and how exact a time is.
-- Milliseconds, because JavaScript knows no smaller unit: a time that was read can be compared and written back,
-- and (created_at, id) is a total order that a cursor can name.

create schema registry;
comment on schema registry is 'Every table that is not one of the six, and the functions made for the runtime role.';

alter table tenants
  alter column trial_ends_at type timestamptz(3),
  alter column contract_starts_at type timestamptz(3),
  alter column contract_ends_at type timestamptz(3),
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_projects
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_products
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_idp_config
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table api_keys
  alter column revoked_at type timestamptz(3),
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table audit_log
  alter column created_at type timestamptz(3),
  alter column received_at type timestamptz(3);

-- The slug is a DNS label that a person can read: no double dash (it would collide with punycode and with joined
-- names), at least one letter (an all-digit label reads as a number), and never the shape of an id.
do $$
declare
  unfit text;
begin
  select string_agg(format('%s (%s)', slug, id), ', ' order by slug) into unfit
  from (
    select slug, id from tenants
    where slug !~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$' or slug ~ '--' or slug !~ '[a-z]'
      or slug ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    order by slug
    limit 20
  ) t;
  if unfit is not null then
    raise exception 'tenants with a slug that the new rule refuses: %', unfit
      using errcode = 'check_violation',
        hint = 'Rename these tenants, then run the migration again. A slug has no double dash, at least one letter, and not the shape of a UUID.';
  end if;
end
$$;

-- The old rule goes, under whatever name an adopted database has it.
do $$
declare
  rule record;
begin
  for rule in
    select conname from pg_constraint
    where conrelid = 'tenants'::regclass and contype = 'c'
      and conkey = array[(select attnum from pg_attribute where attrelid = 'tenants'::regclass and attname = 'slug')]
  loop
    execute format('alter table tenants drop constraint %I', rule.conname);
  end loop;
end
$$;
alter table tenants add constraint tenants_slug_check check (
  slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$'
  and slug !~ '--'
  and slug ~ '[a-z]'
  and slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
);

-- Pages of tenants follow (created_at, id), newest first.
create index tenants_created_at_id_idx on tenants (created_at desc, id desc);
`,
    down: `drop index tenants_created_at_id_idx;

alter table tenants drop constraint tenants_slug_check;
alter table tenants add constraint tenants_slug_check check (slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$');

alter table audit_log
  alter column created_at type timestamptz,
  alter column received_at type timestamptz;
alter table api_keys
  alter column revoked_at type timestamptz,
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_idp_config
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_products
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenant_projects
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;
alter table tenants
  alter column trial_ends_at type timestamptz,
  alter column contract_starts_at type timestamptz,
  alter column contract_ends_at type timestamptz,
  alter column created_at type timestamptz,
  alter column updated_at type timestamptz;

drop schema registry;
`,
  },
  {
    version: 3,
    name: '0003_audit_log_streams',
    checksum: '234b95f4ff7fc459a4f0888e8a2bff90ef76a13d88f451d776a361261e103f40',
    up: `-- The audit log becomes a partitioned, append-only, hash-chained log of streams.
--
-- No CHECK, no trigger, no serial and no unique key without (stream_id, received_at) on it: a log that is partitioned
-- by time and distributed by stream can have none of these, so domains hold the values and grants hold the append-only.
-- docs/audit-log.md tells what a stream is; docs/adr has the record that the chain hashes.

create domain registry.audit_term as text collate "C"
  constraint audit_term_check check (octet_length(value) between 1 and 1024);
comment on domain registry.audit_term is 'An action or an id: short enough for a btree entry, compared by bytes so that a prefix is a range.';
create domain registry.audit_crud as text constraint audit_crud_check check (value in ('c', 'r', 'u', 'd'));
create domain registry.audit_environment as text constraint audit_environment_check check (value in ('live', 'test'));
create domain registry.audit_sha256 as bytea constraint audit_sha256_check check (octet_length(value) = 32);
create domain registry.audit_salt as bytea constraint audit_salt_check check (octet_length(value) = 16);

create table registry.audit_streams (
  stream_id uuid not null,
  last_seq bigint not null default 0,
  last_hash registry.audit_sha256 not null default '\\x0000000000000000000000000000000000000000000000000000000000000000',
  last_received_at timestamptz(3) not null default 'epoch',
  constraint audit_streams_pkey primary key (stream_id)
);
comment on table registry.audit_streams is 'The head of every stream''s chain. Whoever writes audit_log locks and moves it in the same transaction.';

alter table audit_log rename to audit_log_before;
alter table audit_log_before rename constraint audit_log_pkey to audit_log_before_pkey;
alter table audit_log_before rename constraint audit_log_tenant_id_fkey to audit_log_before_tenant_id_fkey;

create table audit_log (
  id uuid not null,
  stream_id uuid not null,
  stream_seq bigint not null,
  received_at timestamptz(3) not null,
  canonical_at timestamptz(3) not null,
  created_at timestamptz(3),
  tenant_id uuid,
  product registry.audit_term not null,
  environment registry.audit_environment not null,
  action registry.audit_term not null,
  crud registry.audit_crud not null,
  group_id registry.audit_term,
  group_name text,
  actor_id registry.audit_term,
  actor_name text,
  actor_href text,
  actor_fields json,
  target_id registry.audit_term,
  target_name text,
  target_href text,
  target_type text,
  target_fields json,
  source_ip text,
  description text,
  component text,
  version text,
  external_id registry.audit_term,
  is_anonymous boolean,
  is_failure boolean,
  fields json,
  metadata json,
  hash registry.audit_sha256,
  chain_version smallint not null,
  row_salt registry.audit_salt,
  personal_digest registry.audit_sha256 not null,
  prev_hash registry.audit_sha256 not null,
  chain_hash registry.audit_sha256 not null,
  search tsvector,
  constraint audit_log_pkey primary key (id, stream_id, received_at),
  constraint audit_log_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete set null
) partition by range (received_at);
comment on table audit_log is 'Append-only: the runtime role may insert and select. Partitions by UTC month live in schema registry.';

-- Digests and salts do not compress; trying costs time on every row.
alter table audit_log
  alter column hash set storage plain,
  alter column row_salt set storage plain,
  alter column personal_digest set storage plain,
  alter column prev_hash set storage plain,
  alter column chain_hash set storage plain;
-- A few large tenants and many small ones: the planner has to know the large ones.
alter table audit_log
  alter column stream_id set statistics 1000,
  alter column product set statistics 500,
  alter column action set statistics 500,
  alter column group_id set statistics 1000;

create index audit_log_tenant_idx on audit_log (tenant_id) where tenant_id is not null;
create index audit_log_stream_seq_idx on audit_log (stream_id, stream_seq);
create index audit_log_stream_time_idx on audit_log (stream_id, canonical_at desc, id desc);
create index audit_log_stream_action_idx on audit_log (stream_id, action, canonical_at desc, id desc);
create index audit_log_stream_actor_idx on audit_log (stream_id, actor_id, canonical_at desc, id desc);
create index audit_log_stream_target_idx on audit_log (stream_id, target_id, canonical_at desc, id desc);
create index audit_log_stream_ext_idx on audit_log (stream_id, external_id) where external_id is not null;
create index audit_log_product_time_idx on audit_log (product, canonical_at desc, id desc);
create index audit_log_group_time_idx on audit_log (product, environment, group_id, canonical_at desc, id desc) include (crud);
create index audit_log_search_idx on audit_log using gin (search);

-- Makes the partition of one month: like the log, every index under a short name of its own (a distributed engine
-- appends to names, so they stay within 40 bytes), then attached. Reads of the log go on meanwhile; cloning its foreign
-- key keeps writers off tenants for that moment, so whoever calls this bounds the wait and tries again.
create function registry.create_audit_partition(month date) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  partition text := 'audit_log_' || to_char(month, 'YYYY_MM');
  part record;
begin
  execute format('create table registry.%I (like public.audit_log including defaults including storage including compression)', partition);
  execute format('alter table registry.%1$I add constraint %2$I primary key (id, stream_id, received_at)', partition, partition || '_pkey');
  for part in
    select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.audit_log'::regclass and not i.indisprimary
    order by c.relname
  loop
    execute regexp_replace(
      part.definition,
      '^CREATE INDEX \\S+ ON (ONLY )?\\S+ ',
      format('create index %I on registry.%I ', partition || substr(part.name, length('audit_log') + 1), partition)
    );
  end loop;
  for part in
    select attname as name, attstattarget as target from pg_attribute
    where attrelid = 'public.audit_log'::regclass and attnum > 0 and not attisdropped and coalesce(attstattarget, -1) >= 0
  loop
    execute format('alter table registry.%I alter column %I set statistics %s', partition, part.name, part.target);
  end loop;
  execute format(
    'alter table public.audit_log attach partition registry.%I for values from (%L) to (%L)',
    partition,
    to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
    to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
  );
end
$$;

-- What the server may call: it can only add the months that come, never touch one that exists.
create function registry.ensure_audit_partitions() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  this_month date := date_trunc('month', now() at time zone 'UTC')::date;
  month date;
  made integer := 0;
begin
  -- Two replicas may find the same month missing. What a third sees of them it sees after the lock.
  perform pg_advisory_xact_lock(7268302091);
  for i in 0..12 loop
    month := (this_month + make_interval(months => i))::date;
    if to_regclass('registry.audit_log_' || to_char(month, 'YYYY_MM')) is null then
      perform registry.create_audit_partition(month);
      made := made + 1;
    end if;
  end loop;
  return made;
end
$$;
comment on function registry.ensure_audit_partitions() is 'runtime: makes the partitions of this month and the next twelve; answers how many were missing.';
revoke execute on function registry.create_audit_partition(date) from public;
revoke execute on function registry.ensure_audit_partitions() from public;

-- Rows that are there already get a stream, a place in it and a link of its chain, exactly as the application gives them.
-- Their Retraced hash stays null: it covers what was sent, which the old table does not know.
create function registry.migration_sha1(message bytea) returns bytea
language plpgsql immutable as $$
declare
  mask constant bigint := 4294967295;
  padded bytea := message || '\\x80'::bytea
    || decode(repeat('00', ((55 - octet_length(message)) % 64 + 64) % 64), 'hex') || int8send(octet_length(message) * 8::bigint);
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
  digest bytea := '';
begin
  for chunk in 0..octet_length(padded) / 64 - 1 loop
    for i in 0..15 loop
      t := 0;
      for j in 0..3 loop t := (t << 8) | get_byte(padded, chunk * 64 + i * 4 + j); end loop;
      w[i] := t;
    end loop;
    for i in 16..79 loop
      t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((t << 1) | (t >> 31)) & mask;
    end loop;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    for i in 0..79 loop
      if i < 20 then f := (b & c) | ((b # mask) & d); k := 1518500249;
      elsif i < 40 then f := b # c # d; k := 1859775393;
      elsif i < 60 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
      else f := b # c # d; k := 3395469782;
      end if;
      t := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
      e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t;
    end loop;
    h := array[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
  end loop;
  for i in 1..5 loop digest := digest || substr(int8send(h[i]), 5); end loop;
  return digest;
end
$$;

create function registry.migration_piece(content bytea) returns bytea
language sql immutable as $$
  select coalesce(int4send(octet_length(content)) || content, '\\xffffffff'::bytea)
$$;

create function registry.migration_piece(content text) returns bytea
language sql immutable as $$
  select registry.migration_piece(convert_to(content, 'UTF8'))
$$;

create function registry.migration_millis(at timestamptz) returns bytea
language sql immutable as $$
  select int8send((extract(epoch from at) * 1000)::bigint)
$$;

create function registry.migration_stream(product text, environment text, group_id text) returns uuid
language sql immutable as $$
  select encode(set_byte(set_byte(d, 6, (get_byte(d, 6) & 15) | 80), 8, (get_byte(d, 8) & 63) | 128), 'hex')::uuid
  from (
    select substr(registry.migration_sha1(
      uuid_send('5ca3a973-f392-4339-9486-4214cea4d436'::uuid)
      || convert_to(concat_ws(E'\\n', product, environment, group_id), 'UTF8')
    ), 1, 16) as d
  ) digest
$$;

-- The text values of a map, which is what can be searched for.
create function registry.migration_words(map jsonb) returns text
language sql immutable as $$
  select case jsonb_typeof(map) when 'object' then (select string_agg(value, ' ') from jsonb_each_text(map)) end
$$;

do $$
declare
  unfit text;
begin
  select string_agg(format('%s: %s', id, problem), '; ') into unfit
  from (
    select id, case
      when action = '' then 'no action'
      when product = '' then 'no product'
      when octet_length(action) > 1024 then 'an action of more than 1024 bytes'
      when octet_length(product) > 1024 then 'a product of more than 1024 bytes'
      when octet_length(actor_id) > 1024 then 'an actor_id of more than 1024 bytes'
      when octet_length(target_id) > 1024 then 'a target_id of more than 1024 bytes'
      when octet_length(group_id) > 1024 then 'a group_id of more than 1024 bytes'
      when octet_length(external_id) > 1024 then 'an external_id of more than 1024 bytes'
      when received_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' + interval '12 months'
        then 'received more than a year ahead'
      when received_at < '2000-01-01 00:00:00+00' then 'received before the year 2000'
    end as problem
    from audit_log_before
  ) t
  where problem is not null;
  if unfit is not null then
    raise exception 'events that do not fit the new log: %', left(unfit, 4000)
      using errcode = 'check_violation', hint = 'Mend these rows of audit_log, then run the migration again.';
  end if;
end
$$;

do $$
declare
  month date;
  r record;
  head registry.audit_streams;
  salt bytea;
  personal bytea;
  link bytea;
  at timestamptz(3);
begin
  month := date_trunc('month', (select min(received_at) from audit_log_before) at time zone 'UTC')::date;
  while month < date_trunc('month', now() at time zone 'UTC')::date loop
    perform registry.create_audit_partition(month);
    month := (month + interval '1 month')::date;
  end loop;
  perform registry.ensure_audit_partitions();

  head.stream_id := null;
  for r in
    select b.id, b.tenant_id, b.product, b.action, b.crud, nullif(b.group_id, '') as group_id, b.group_name,
      nullif(b.actor_id, '') as actor_id, b.actor_name, b.actor_href, nullif(b.target_id, '') as target_id, b.target_name,
      b.target_href, b.target_type, b.source_ip, b.description, b.component, b.version,
      nullif(b.external_id, '') as external_id, b.is_anonymous, b.is_failure, b.created_at, b.received_at,
      coalesce(b.tenant_id, s.id) as stream_id,
      concat_ws(' ', registry.migration_words(b.actor_fields), registry.migration_words(b.target_fields),
        registry.migration_words(b.fields), registry.migration_words(b.metadata)) as map_words,
      b.actor_fields::text as actor_fields_text, b.target_fields::text as target_fields_text,
      b.fields::text as fields_text, b.metadata::text as metadata_text
    from audit_log_before b
    left join (
      select product, group_id, registry.migration_stream(product, 'live', group_id) as id
      from (select distinct product, nullif(group_id, '') as group_id from audit_log_before where tenant_id is null) g
    ) s on b.tenant_id is null and s.product = b.product and s.group_id is not distinct from nullif(b.group_id, '')
    order by coalesce(b.tenant_id, s.id), b.received_at, b.id
  loop
    if head.stream_id is distinct from r.stream_id then
      if head.stream_id is not null then
        insert into registry.audit_streams select head.*;
      end if;
      head.stream_id := r.stream_id;
      head.last_seq := 0;
      head.last_hash := decode(repeat('00', 32), 'hex');
    end if;
    at := coalesce(r.created_at, r.received_at);
    salt := uuid_send(gen_random_uuid());
    personal := sha256(salt
      || registry.migration_piece(r.actor_id) || registry.migration_piece(r.actor_name)
      || registry.migration_piece(r.actor_href) || registry.migration_piece(r.actor_fields_text)
      || registry.migration_piece(r.target_id) || registry.migration_piece(r.target_name)
      || registry.migration_piece(r.target_href) || registry.migration_piece(r.target_fields_text)
      || registry.migration_piece(r.group_name) || registry.migration_piece(r.source_ip)
      || registry.migration_piece(r.description) || registry.migration_piece(r.external_id)
      || registry.migration_piece(r.fields_text) || registry.migration_piece(r.metadata_text)
      || registry.migration_piece(null::bytea));
    link := sha256(head.last_hash || '\\x01'::bytea
      || registry.migration_piece(uuid_send(r.id)) || registry.migration_piece(uuid_send(r.stream_id))
      || registry.migration_piece(int8send(head.last_seq + 1))
      || registry.migration_piece(registry.migration_millis(r.received_at))
      || registry.migration_piece(registry.migration_millis(at))
      || registry.migration_piece(registry.migration_millis(r.created_at))
      || registry.migration_piece(r.product) || registry.migration_piece('live'::text)
      || registry.migration_piece(r.action) || registry.migration_piece(r.crud)
      || registry.migration_piece(r.group_id) || registry.migration_piece(r.target_type)
      || registry.migration_piece(r.component) || registry.migration_piece(r.version)
      || registry.migration_piece(case when r.is_anonymous then '\\x01'::bytea when not r.is_anonymous then '\\x00'::bytea end)
      || registry.migration_piece(case when r.is_failure then '\\x01'::bytea when not r.is_failure then '\\x00'::bytea end)
      || registry.migration_piece(personal));
    insert into audit_log (
      id, stream_id, stream_seq, received_at, canonical_at, created_at, tenant_id, product, environment, action, crud,
      group_id, group_name, actor_id, actor_name, actor_href, actor_fields, target_id, target_name, target_href,
      target_type, target_fields, source_ip, description, component, version, external_id, is_anonymous, is_failure,
      fields, metadata, chain_version, row_salt, personal_digest, prev_hash, chain_hash, search
    ) values (
      r.id, r.stream_id, head.last_seq + 1, r.received_at, at, r.created_at, r.tenant_id, r.product, 'live', r.action, r.crud,
      r.group_id, r.group_name, r.actor_id, r.actor_name, r.actor_href, r.actor_fields_text::json, r.target_id, r.target_name, r.target_href,
      r.target_type, r.target_fields_text::json, r.source_ip, r.description, r.component, r.version, r.external_id, r.is_anonymous, r.is_failure,
      r.fields_text::json, r.metadata_text::json, 1, salt, personal, head.last_hash, link,
      to_tsvector('simple', left(concat_ws(' ', r.action, r.product, r.group_id, r.group_name, r.actor_id, r.actor_name,
        r.target_id, r.target_name, r.target_type, r.description, r.source_ip, r.component, r.version, r.external_id,
        r.map_words), 65536))
        || array_to_tsvector(array[r.stream_id::text, lower(r.action)])
    );
    head.last_seq := head.last_seq + 1;
    head.last_hash := link;
    head.last_received_at := r.received_at;
  end loop;
  if head.stream_id is not null then
    insert into registry.audit_streams select head.*;
  end if;
end
$$;

drop function registry.migration_words(jsonb);
drop function registry.migration_stream(text, text, text);
drop function registry.migration_millis(timestamptz);
drop function registry.migration_piece(text);
drop function registry.migration_piece(bytea);
drop function registry.migration_sha1(bytea);
drop table audit_log_before;
`,
    down: `-- Back to one plain table. Streams, places in them, hashes and chains are lost; every event stays.

alter table audit_log rename to audit_log_streams;

create table audit_log (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid,
  product text not null,
  action text not null,
  crud text not null,
  group_id text,
  group_name text,
  actor_id text,
  actor_name text,
  actor_href text,
  actor_fields jsonb,
  target_id text,
  target_name text,
  target_href text,
  target_type text,
  target_fields jsonb,
  source_ip text,
  description text,
  component text,
  version text,
  external_id text,
  is_anonymous boolean,
  is_failure boolean,
  fields jsonb,
  metadata jsonb,
  created_at timestamptz(3),
  received_at timestamptz(3) not null default now()
);

insert into audit_log (
  id, tenant_id, product, action, crud, group_id, group_name, actor_id, actor_name, actor_href, actor_fields,
  target_id, target_name, target_href, target_type, target_fields, source_ip, description, component, version,
  external_id, is_anonymous, is_failure, fields, metadata, created_at, received_at
)
select
  id, tenant_id, product, action, crud, group_id, group_name, actor_id, actor_name, actor_href, actor_fields::text::jsonb,
  target_id, target_name, target_href, target_type, target_fields::text::jsonb, source_ip, description, component, version,
  external_id, is_anonymous, is_failure, fields::text::jsonb, metadata::text::jsonb, created_at, received_at
from audit_log_streams;

drop table audit_log_streams;
drop function registry.ensure_audit_partitions();
drop function registry.create_audit_partition(date);
drop table registry.audit_streams;
drop domain registry.audit_salt;
drop domain registry.audit_sha256;
drop domain registry.audit_environment;
drop domain registry.audit_crud;
drop domain registry.audit_term;

alter table audit_log
  add constraint audit_log_pkey primary key (id),
  add constraint audit_log_crud_check check (crud in ('c', 'r', 'u', 'd')),
  add constraint audit_log_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete set null;
create index audit_log_tenant_id_received_at_idx on audit_log (tenant_id, received_at desc);
create index audit_log_product_received_at_idx on audit_log (product, received_at desc);
`,
  },
  {
    version: 4,
    name: '0004_tenant_lifecycle',
    checksum: 'ef78f3762ec6f8aa15bb449816ddeaca82e2d8e7277cd66f9de99958917c4733',
    up: `-- The life of a tenant: why it is in its state and since when, and a trigger that holds the table of legal transitions,
-- whoever writes. core/src/tenants/lifecycle.ts holds the same table and explains it.

alter table tenants
  add column status_reason text,
  add column status_note text,
  add column status_changed_at timestamptz(3) not null default now(),
  add column status_changed_by text,
  add column frozen_from tenant_status,
  add column keys_valid_after timestamptz(3),
  add column archived_at timestamptz(3),
  add column deletion_protection boolean not null default false,
  add column metadata jsonb not null default '{}',
  add column version integer not null default 1,
  add constraint tenants_frozen_from_check check (frozen_from in ('demo', 'trial', 'active')),
  add constraint tenants_metadata_check check (jsonb_typeof(metadata) = 'object');
comment on column tenants.frozen_from is 'What the tenant was frozen or archived out of; null while it is neither.';
comment on column tenants.keys_valid_after is 'API keys that were not issued after this are dead for good.';

-- What is known of the tenants that are here already: nothing of them changes.
alter table tenants disable trigger user;
update tenants set status_changed_at = updated_at;
alter table tenants enable trigger user;

-- A row that is written has another version, so that a reader can tell whether it is still what it read.
create function registry.keep_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
create trigger tenants_keep_version before update on tenants
  for each row execute function registry.keep_version();

create function registry.keep_tenant_lifecycle() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  legal boolean;
begin
  if tg_op = 'INSERT' then
    legal := new.status in ('demo', 'trial', 'active');
  elsif new.status = old.status then
    legal := true;
  else
    legal := case old.status
      when 'demo' then true
      when 'trial' then new.status in ('active', 'frozen', 'archived')
      when 'active' then new.status = 'frozen'
      when 'frozen' then new.status in ('active', 'archived')
        or new.status = 'demo' and new.kind = 'demo'
        or new.status = 'trial' and old.frozen_from = 'trial' and (new.trial_ends_at is null or new.trial_ends_at > now())
      when 'archived' then new.status = 'frozen'
    end;
  end if;
  if legal is not true then
    raise exception 'a tenant cannot go from % to %', case tg_op when 'INSERT' then 'nothing' else old.status::text end, new.status
      using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_transition_check';
  end if;

  if tg_op = 'UPDATE' then
    -- A demonstration becomes a customer with its first real state, and never again a demonstration.
    if new.status <> old.status and new.status in ('trial', 'active') then
      new.kind := 'customer';
    elsif new.kind <> old.kind then
      raise exception 'the kind of a tenant changes by conversion alone'
        using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_kind_check';
    end if;
  end if;
  if new.status = 'demo' and new.kind <> 'demo' then
    raise exception 'a customer cannot be a demo'
      using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_kind_check';
  end if;
  if tg_op = 'INSERT' and new.kind = 'demo' and new.status <> 'demo' then
    raise exception 'a demonstration begins as one'
      using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_kind_check';
  end if;
  if new.status = 'active' and new.plan is null
    and (tg_op = 'INSERT' or old.status <> 'active' or old.plan is not null) then
    raise exception 'an active tenant needs a plan'
      using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_plan_check';
  end if;

  if tg_op = 'UPDATE' and new.status <> old.status then
    new.frozen_from := case
      when new.status not in ('frozen', 'archived') then null
      when old.status in ('frozen', 'archived') then old.frozen_from
      else old.status
    end;
    -- A trial ends when its time is over, which may be when it was begun.
    if new.status_changed_at = old.status_changed_at and new.status_changed_at is distinct from new.trial_ends_at then
      new.status_changed_at := now();
    end if;
    if new.status = 'archived' then
      -- Not now(): a transaction that began long ago would leave out the keys that were issued meanwhile.
      new.archived_at := coalesce(new.archived_at, clock_timestamp());
      -- An archived tenant's keys do not come back with it.
      new.keys_valid_after := greatest(new.keys_valid_after, clock_timestamp());
    else
      new.archived_at := null;
    end if;
  end if;
  return new;
end
$$;
create trigger tenants_keep_lifecycle before insert or update on tenants
  for each row execute function registry.keep_tenant_lifecycle();

-- What the sweeper looks for.
create index tenants_trial_ends_at_idx on tenants (trial_ends_at) where status = 'trial' and trial_ends_at is not null;
`,
    down: `drop index tenants_trial_ends_at_idx;
drop trigger tenants_keep_lifecycle on tenants;
drop function registry.keep_tenant_lifecycle();
drop trigger tenants_keep_version on tenants;
drop function registry.keep_version();
alter table tenants
  drop column status_reason,
  drop column status_note,
  drop column status_changed_at,
  drop column status_changed_by,
  drop column frozen_from,
  drop column keys_valid_after,
  drop column archived_at,
  drop column deletion_protection,
  drop column metadata,
  drop column version;
`,
  },
  {
    version: 5,
    name: '0005_tenant_names',
    checksum: 'a8df09ac9ffb42fa7d353a04593fb5e135f8dbc848a3bb0cc0bd99e20893e8cc',
    up: `-- One namespace for the names of tenants: those in use, those of before, and those of tenants that are gone. Its primary
-- key is what makes a name have one owner, however many rename and create at once. Ids of purged tenants stay taken too.

create table registry.slugs (
  slug text not null,
  tenant_id uuid,
  current boolean not null,
  taken_at timestamptz(3) not null default now(),
  released_at timestamptz(3),
  constraint slugs_pkey primary key (slug),
  constraint slugs_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete set null,
  constraint slugs_current_check check (not current or tenant_id is not null),
  constraint slugs_released_check check (released_at is null or tenant_id is null)
);
comment on table registry.slugs is 'Every name a tenant has or had. Without a tenant it is nobody''s, and stays so until it is released.';
create unique index slugs_current_key on registry.slugs (tenant_id) where current;
create index slugs_tenant_id_idx on registry.slugs (tenant_id);

create table registry.retired_ids (
  id uuid not null,
  retired_at timestamptz(3) not null default now(),
  constraint retired_ids_pkey primary key (id)
);
comment on table registry.retired_ids is 'The ids of tenants that were purged. Nobody gets them again: the audit log still tells of them.';

insert into registry.slugs (slug, tenant_id, current, taken_at) select slug, id, true, created_at from tenants;

create function registry.keep_slug() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' then
    if new.slug = old.slug then
      return null;
    end if;
    update registry.slugs set current = false where slug = old.slug and tenant_id = new.id;
  end if;
  -- A name of before can be taken again by whose it was, a released one by anybody.
  insert into registry.slugs as held (slug, tenant_id, current) values (new.slug, new.id, true)
  on conflict (slug) do update set tenant_id = excluded.tenant_id, current = true, released_at = null,
    taken_at = case when held.tenant_id = excluded.tenant_id then held.taken_at else excluded.taken_at end
    where held.tenant_id = excluded.tenant_id or held.released_at is not null;
  if not found then
    raise exception 'the slug % is or was another tenant''s', new.slug
      using errcode = 'unique_violation', schema = 'registry', table = 'slugs', constraint = 'slugs_pkey';
  end if;
  return null;
end
$$;
create trigger tenants_keep_slug after insert or update on tenants
  for each row execute function registry.keep_slug();

create function registry.refuse_retired_id() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from registry.retired_ids where id = new.id) then
    raise exception 'the id % was that of a tenant that was purged', new.id
      using errcode = 'unique_violation', schema = 'registry', table = 'retired_ids', constraint = 'retired_ids_pkey';
  end if;
  return new;
end
$$;
-- After, not before: an insert that waited for a purge to end has to see what that purge left behind.
create trigger tenants_refuse_retired_id after insert on tenants
  for each row execute function registry.refuse_retired_id();

create function registry.retire_tenant() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update registry.slugs set current = false where tenant_id = old.id and current;
  insert into registry.retired_ids (id) values (old.id) on conflict do nothing;
  return old;
end
$$;
create trigger tenants_retire before delete on tenants
  for each row execute function registry.retire_tenant();
`,
    down: `drop trigger tenants_retire on tenants;
drop function registry.retire_tenant();
drop trigger tenants_refuse_retired_id on tenants;
drop function registry.refuse_retired_id();
drop trigger tenants_keep_slug on tenants;
drop function registry.keep_slug();
drop table registry.retired_ids;
drop table registry.slugs;
`,
  },
  {
    version: 6,
    name: '0006_tenant_purge',
    checksum: '369271aad36da5440035e18377430ca32fcb048442802d5b2006534ba2bd6804',
    up: `-- The end of a tenant: when it may be purged, that it was asked for, and what forbids it.

alter table tenants
  add column purge_after timestamptz(3),
  add column purge_requested_at timestamptz(3),
  add column purge_requested_by text;
create index tenants_purge_requested_at_idx on tenants (purge_requested_at) where purge_requested_at is not null;

-- By stream and not by tenant: a hold also keeps the events of a tenant that is gone, and those that never had one.
create table registry.legal_holds (
  stream_id uuid not null,
  reason text not null,
  by text not null,
  at timestamptz(3) not null default now(),
  constraint legal_holds_pkey primary key (stream_id)
);
comment on table registry.legal_holds is 'Streams of the audit log that nothing may shorten; the tenants of such streams are not purged.';

-- The runtime role cannot change the log. This is the one thing that a purge has to do there: let go of the foreign key,
-- a part of the rows at a time, since a large tenant's in one statement would hold its locks for seconds. The events
-- stay, and so does their chain, which does not cover tenant_id.
-- Planned anew each time: a plan that was made for a log of a few rows takes half a minute for twelve thousand.
create function registry.release_tenant_events(tenant uuid, rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  released integer;
begin
  if not exists (select from public.tenants t where t.id = tenant and t.purge_requested_at is not null) then
    raise exception 'nobody asked for the purge of %', tenant using errcode = 'object_not_in_prerequisite_state';
  end if;
  if exists (select from registry.legal_holds h where h.stream_id = tenant) then
    raise exception '% is under a legal hold', tenant using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Whoever writes a stream's rows writes its head: a distributed engine commits by what it saw being written.
  update registry.audit_streams set last_seq = last_seq where stream_id = tenant;
  update public.audit_log a set tenant_id = null
  from (
    select l.id, l.received_at from public.audit_log l
    where l.tenant_id = tenant and l.stream_id = tenant
    limit least(rows_max, 5000)
  ) batch
  where a.id = batch.id and a.stream_id = tenant and a.received_at = batch.received_at;
  get diagnostics released = row_count;
  return released;
end
$$;
comment on function registry.release_tenant_events(uuid, integer) is 'runtime: nulls tenant_id of at most rows_max events of a tenant that is being purged; answers how many.';
revoke execute on function registry.release_tenant_events(uuid, integer) from public;
`,
    down: `drop function registry.release_tenant_events(uuid, integer);
drop table registry.legal_holds;
drop index tenants_purge_requested_at_idx;
alter table tenants
  drop column purge_after,
  drop column purge_requested_at,
  drop column purge_requested_by;
`,
  },
  {
    version: 7,
    name: '0007_tenant_lists',
    checksum: '78526a3b3afddd092d1bec2e447efd643a4d716ea38ff239c26c8eae1133c6b6',
    up: `-- What lists of tenants are sorted and searched by. Sorting goes by bytes: the same everywhere, and a prefix is a range.

-- The words of a name, whatever stands between them: PostgreSQL's own parser would take a.b for a host.
create function registry.name_words(name text) returns tsvector
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
  select to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'))
$$;
comment on function registry.name_words(text) is 'runtime: the words of a name, in lower case.';

-- The words of a question: all of them, the last one only by its beginning.
create function registry.name_query(question text) returns tsquery
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
  select case when numnode(words) = 0 then words else (words::text || ':*')::tsquery end
  from plainto_tsquery('pg_catalog.simple', regexp_replace(question, '[^[:alnum:]]+', ' ', 'g')) as words
$$;
comment on function registry.name_query(text) is 'runtime: what names have to have to answer a question: every word, the last one by its beginning.';

-- A column and not an index of the function alone: who reads along a sort would take every name apart on the way. It
-- comes before the indexes, since it writes the table anew.
alter table tenants
  add column name_words tsvector not null generated always as (registry.name_words(name)) stored;
comment on column tenants.name_words is 'What a search of names looks in; nobody reads it.';

create index tenants_status_idx on tenants (status, created_at desc, id desc);
create index tenants_plan_idx on tenants (plan, created_at desc, id desc);
create index tenants_demo_idx on tenants (created_at desc, id desc) where kind = 'demo';
create index tenants_sales_owner_idx on tenants (sales_owner, created_at desc, id desc) where sales_owner is not null;
create index tenants_name_idx on tenants ((lower(name) collate "C"), id);
create index tenants_slug_idx on tenants ((slug collate "C"), id);
-- Beside tenants_trial_ends_at_idx, which has the trials that still run.
create index tenants_ended_trials_idx on tenants (trial_ends_at)
  where status = 'frozen' and frozen_from = 'trial' and status_reason = 'trial_expired';
-- Without the list of what is still to be sorted in, which every search would have to read through as well.
create index tenants_name_words_idx on tenants using gin (name_words) with (fastupdate = off);
`,
    down: `drop index tenants_name_words_idx;
drop index tenants_ended_trials_idx;
drop index tenants_slug_idx;
drop index tenants_name_idx;
drop index tenants_sales_owner_idx;
drop index tenants_demo_idx;
drop index tenants_plan_idx;
drop index tenants_status_idx;
alter table tenants drop column name_words;
drop function registry.name_query(text);
drop function registry.name_words(text);
`,
  },
  {
    version: 8,
    name: '0008_projects_and_products',
    checksum: 'e2a6d23709ef5acd20cd687e3f33f7aea1876241c1544001e517723c38a49d21',
    up: `-- What a project and an assignment of a product have beyond what the Go service gave them.

alter table tenant_projects
  add column labels jsonb not null default '{}',
  add column archived_at timestamptz(3),
  add column version integer not null default 1,
  add constraint tenant_projects_labels_check check (jsonb_typeof(labels) = 'object'),
  -- What points at a project of a tenant points at both, so that it cannot be another tenant's.
  add constraint tenant_projects_tenant_id_id_key unique (tenant_id, id);
alter table tenant_projects disable trigger user;
update tenant_projects set archived_at = updated_at where status = 'archived';
alter table tenant_projects enable trigger user;

create function registry.keep_project_slug() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.slug <> old.slug or new.tenant_id <> old.tenant_id then
    raise exception 'a project keeps its slug and its tenant'
      using errcode = 'check_violation', schema = 'public', table = 'tenant_projects', constraint = 'tenant_projects_slug_check';
  end if;
  return new;
end
$$;
create trigger tenant_projects_keep_slug before update on tenant_projects
  for each row execute function registry.keep_project_slug();
create trigger tenant_projects_keep_version before update on tenant_projects
  for each row execute function registry.keep_version();
create index tenant_projects_created_at_idx on tenant_projects (tenant_id, created_at desc, id desc);

alter table tenant_products
  add column enabled boolean not null default true,
  add column limits jsonb not null default '{}',
  add column valid_from timestamptz(3),
  add column valid_until timestamptz(3),
  add column source text not null default 'manual',
  add column version integer not null default 1,
  add constraint tenant_products_config_check check (jsonb_typeof(config) = 'object'),
  add constraint tenant_products_limits_check check (jsonb_typeof(limits) = 'object'),
  add constraint tenant_products_window_check check (valid_from < valid_until);
create trigger tenant_products_keep_version before update on tenant_products
  for each row execute function registry.keep_version();
`,
    down: `drop trigger tenant_products_keep_version on tenant_products;
alter table tenant_products
  drop constraint tenant_products_config_check,
  drop column enabled,
  drop column limits,
  drop column valid_from,
  drop column valid_until,
  drop column source,
  drop column version;

drop index tenant_projects_created_at_idx;
drop trigger tenant_projects_keep_version on tenant_projects;
drop trigger tenant_projects_keep_slug on tenant_projects;
drop function registry.keep_project_slug();
alter table tenant_projects
  drop constraint tenant_projects_tenant_id_id_key,
  drop column labels,
  drop column archived_at,
  drop column version;
`,
  },
  {
    version: 9,
    name: '0009_change_feed',
    checksum: '22f6432bed21a0ffd5cda92aa71c6515fbfbefd2e76962a299d93a5e9420f2a6',
    up: `-- A feed of what changed, in the order of the commits and without gaps: deferred triggers run at commit, and each takes
-- the next number from one row, which the commits then wait for in turn. A rolled-back transaction gives its number
-- back. Nothing of it depends on transaction ids, so it survives a restore.

create table registry.change_counter (
  one boolean not null default true,
  n bigint not null,
  constraint change_counter_pkey primary key (one),
  constraint change_counter_one_check check (one)
);
comment on table registry.change_counter is 'The number of the latest change.';
insert into registry.change_counter (n) values (0);

create table registry.changes (
  n bigint not null,
  at timestamptz(3) not null default clock_timestamp(),
  kind text not null,
  tenant_id uuid not null,
  ref_id text not null,
  constraint changes_pkey primary key (n),
  constraint changes_kind_check check (kind in ('tenant', 'tenant_product', 'tenant_project', 'api_key'))
);
comment on table registry.changes is 'What changed, newest last; kept for seven days. ref_id is the id of the thing, or the key of the product.';
create index changes_at_idx on registry.changes (at);
create index changes_tenant_id_idx on registry.changes (tenant_id, n);

-- The kind is an argument, not the name of the table: on a distributed engine that is the name of a shard.
create function registry.record_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  changed jsonb := to_jsonb(coalesce(new, old));
  next bigint;
begin
  update registry.change_counter set n = n + 1 returning n into next;
  insert into registry.changes (n, kind, tenant_id, ref_id)
  values (next, tg_argv[0], (changed ->> tg_argv[1])::uuid, changed ->> tg_argv[2]);
  perform pg_notify('registry_changes', next::text);
  return null;
end
$$;

create constraint trigger tenants_record_change after insert or update or delete on tenants
  deferrable initially deferred for each row execute function registry.record_change('tenant', 'id', 'id');
create constraint trigger tenant_products_record_change after insert or update or delete on tenant_products
  deferrable initially deferred for each row execute function registry.record_change('tenant_product', 'tenant_id', 'product');
create constraint trigger tenant_projects_record_change after insert or update or delete on tenant_projects
  deferrable initially deferred for each row execute function registry.record_change('tenant_project', 'tenant_id', 'id');
create constraint trigger api_keys_record_change after insert or update or delete on api_keys
  deferrable initially deferred for each row execute function registry.record_change('api_key', 'tenant_id', 'id');
`,
    down: `drop trigger api_keys_record_change on api_keys;
drop trigger tenant_projects_record_change on tenant_projects;
drop trigger tenant_products_record_change on tenant_products;
drop trigger tenants_record_change on tenants;
drop function registry.record_change();
drop table registry.changes;
drop table registry.change_counter;
`,
  },
  {
    version: 10,
    name: '0010_idempotency',
    checksum: 'c59b8e90f28176e5b4b6eecc07b63c4f7a8181d31574dabc691d22769a32c13a',
    up: `-- What was answered to a request that carried an Idempotency-Key. It is written in the transaction of the effect.

create table registry.idempotency (
  digest bytea not null,
  fingerprint bytea not null,
  status smallint not null,
  headers jsonb not null default '{}',
  body text,
  sealed bytea,
  kid text,
  resource_id text,
  created_at timestamptz(3) not null default now(),
  constraint idempotency_pkey primary key (digest),
  constraint idempotency_digest_check check (octet_length(digest) = 32),
  constraint idempotency_fingerprint_check check (octet_length(fingerprint) = 32)
);
comment on table registry.idempotency is 'Answers for 24 hours. An answer with a secret is sealed, and the secret goes after 15 minutes.';
comment on column registry.idempotency.digest is 'HMAC of principal, method, path and key: the key itself is not kept.';
create index idempotency_created_at_idx on registry.idempotency (created_at);
`,
    down: `drop table registry.idempotency;
`,
  },
  {
    version: 11,
    name: '0011_api_keys',
    checksum: 'abacbd5378e123d0db91086df3e25b4c0c055b23a09bbe40b95ca6ac2a12d0d7',
    up: `-- API keys: what a key is for, until when and from where, who made and ended it; when it was last used; and which of
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
`,
    down: `drop table registry.revocation_probe;
drop trigger tenants_keys_reason on tenants;
drop function registry.say_why_keys_died();
alter table tenants
  drop column key_policy,
  drop column keys_revoked_reason;
drop table registry.secret_kids;
drop table registry.api_key_usage;
drop trigger api_keys_keep_identity on api_keys;
drop function registry.keep_api_key();
drop trigger api_keys_keep_version on api_keys;
create index api_keys_tenant_id_idx on api_keys (tenant_id);
drop index api_keys_created_at_idx;
alter table api_keys
  drop column version,
  drop column created_by,
  drop column revoked_by,
  drop column revoked_reason,
  drop column metadata,
  drop column ip_allow,
  drop column enabled,
  drop column expires_at,
  drop column issuer_kid,
  drop column audience,
  drop column environment,
  drop column replaced_by,
  drop column family_id,
  drop column project_id;
`,
  },
  {
    version: 12,
    name: '0012_platform_tenant',
    checksum: '82128152ed17123e0f03408796e4008b5bd0a9c6a3b9188d790c5bae9ab13d45',
    up: `-- The platform's own tenant: whose keys products hold that cannot speak OIDC. It has keys and nothing else, and nobody
-- changes it, whoever they are.

do $$
begin
  if exists (
    select from registry.slugs where slug = 'platform' and released_at is null
    union all select from tenants where id = '00000000-0000-0000-0000-0000000000ff'
    union all select from registry.retired_ids where id = '00000000-0000-0000-0000-0000000000ff'
  ) then
    raise exception 'a tenant has or had the slug "platform", and has not released it, or the id that the platform''s own tenant gets';
  end if;
end
$$;

create function registry.keep_platform_tenant() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the platform''s own tenant does not change, and has nothing but API keys'
    using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_platform_check';
end
$$;
-- First of all triggers by its name: nothing else has to know of it.
create trigger tenants_a_keep_platform before update or delete on tenants
  for each row when (old.id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_products_a_keep_platform before insert or update on tenant_products
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_projects_a_keep_platform before insert or update on tenant_projects
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();
create trigger tenant_idp_config_a_keep_platform before insert or update on tenant_idp_config
  for each row when (new.tenant_id = '00000000-0000-0000-0000-0000000000ff')
  execute function registry.keep_platform_tenant();

-- Nobody who follows the changes has anything to do about it.
alter table tenants disable trigger tenants_record_change;
insert into tenants (id, slug, name, status, kind, plan)
values ('00000000-0000-0000-0000-0000000000ff', 'platform', 'Platform', 'active', 'customer', 'platform');
alter table tenants enable trigger tenants_record_change;
`,
    down: `drop trigger tenant_idp_config_a_keep_platform on tenant_idp_config;
drop trigger tenant_projects_a_keep_platform on tenant_projects;
drop trigger tenant_products_a_keep_platform on tenant_products;
drop trigger tenants_a_keep_platform on tenants;
drop function registry.keep_platform_tenant();
alter table tenants disable trigger tenants_record_change;
alter table api_keys disable trigger api_keys_record_change;
delete from tenants where id = '00000000-0000-0000-0000-0000000000ff';
alter table api_keys enable trigger api_keys_record_change;
alter table tenants enable trigger tenants_record_change;
-- Its going leaves the traces of any tenant; it may come back.
delete from registry.slugs where slug = 'platform';
delete from registry.retired_ids where id = '00000000-0000-0000-0000-0000000000ff';
`,
  },
  {
    version: 13,
    name: '0013_audit_ingest',
    checksum: 'f790075b6350bbcb7f19b8a9dcd052b329c1165687a0f42dc6c795e52e5b0ef6',
    up: `-- What products publish into the log: each batch once, with what is known of who and what it tells of, in the stream of
-- the tenant that its group names.

create table registry.audit_dedup (
  digest registry.audit_sha256 not null,
  fingerprint registry.audit_sha256 not null,
  event_ids uuid[] not null,
  hashes bytea[] not null,
  created_at timestamptz(3) not null default now(),
  constraint audit_dedup_pkey primary key (digest)
);
comment on table registry.audit_dedup is 'What was acknowledged under an Idempotency-Key, or an external_id that may come once: for seven days.';
comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of the stream and the external_id: neither is kept here.';
comment on column registry.audit_dedup.fingerprint is 'SHA-256 of what was sent: something else under the same key is refused.';
create index audit_dedup_created_at_idx on registry.audit_dedup (created_at);

create table registry.audit_entities (
  scope uuid not null,
  kind text not null,
  entity_id registry.audit_term not null,
  name text,
  href text,
  type text,
  fields json,
  constraint audit_entities_pkey primary key (scope, kind, entity_id),
  constraint audit_entities_kind_check check (kind in ('actor', 'group', 'target'))
);
comment on table registry.audit_entities is 'What was last said of an actor, a target or a group: events that name only its id get the rest from here.';
comment on column registry.audit_entities.scope is 'UUIDv5 of product, environment and group: what one customer says of somebody no other one is shown.';

-- A product may tell of a tenant that has it, and of one that had it: what happened is to be told all the same.
create table registry.tenant_products_ever (
  tenant_id uuid not null,
  product text not null,
  constraint tenant_products_ever_pkey primary key (tenant_id, product),
  constraint tenant_products_ever_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade
);
comment on table registry.tenant_products_ever is 'Every product that a tenant has or had.';
insert into registry.tenant_products_ever (tenant_id, product) select tenant_id, product from tenant_products;

create function registry.remember_tenant_product() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into registry.tenant_products_ever (tenant_id, product) values (new.tenant_id, new.product) on conflict do nothing;
  return null;
end
$$;
create trigger tenant_products_remember after insert on tenant_products
  for each row execute function registry.remember_tenant_product();
`,
    down: `drop trigger tenant_products_remember on tenant_products;
drop function registry.remember_tenant_product();
drop table registry.tenant_products_ever;
drop table registry.audit_entities;
drop table registry.audit_dedup;
`,
  },
  {
    version: 14,
    name: '0014_audit_evidence',
    checksum: '0e4f1754f9afe171d67f777bf43f9ac909fb4bf66531c22100424944aca56fb1',
    up: `-- What shows that the log was not changed by somebody who can write the database: signed checkpoints of the heads of its
-- streams; and how an event loses what it says of persons without breaking its chain.

create domain registry.audit_signature as bytea constraint audit_signature_check check (octet_length(value) = 64);

create table registry.audit_signing_keys (
  key_id text not null,
  public_key text not null,
  first_used_at timestamptz(3) not null default now(),
  constraint audit_signing_keys_pkey primary key (key_id)
);
comment on table registry.audit_signing_keys is 'The public keys that checkpoints were signed with, also those of former times.';
comment on column registry.audit_signing_keys.public_key is 'Ed25519, as PEM.';

create table registry.audit_checkpoints (
  number bigint not null,
  taken_at timestamptz(3) not null,
  head_count integer not null,
  root registry.audit_sha256 not null,
  previous_root registry.audit_sha256 not null,
  key_id text not null,
  signature registry.audit_signature not null,
  constraint audit_checkpoints_pkey primary key (number),
  constraint audit_checkpoints_key_id_fkey foreign key (key_id) references registry.audit_signing_keys (key_id)
);
comment on table registry.audit_checkpoints is 'The heads of all streams that had changed, as one signed Merkle root; each names the root before it. Append-only.';

create table registry.audit_checkpoint_heads (
  stream_id uuid not null,
  stream_seq bigint not null,
  chain_hash registry.audit_sha256 not null,
  number bigint not null,
  constraint audit_checkpoint_heads_pkey primary key (stream_id, stream_seq, number),
  constraint audit_checkpoint_heads_number_fkey foreign key (number) references registry.audit_checkpoints (number)
);
comment on table registry.audit_checkpoint_heads is 'The leaves of every checkpoint''s tree, which are in the order of their streams. Append-only.';
create index audit_checkpoint_heads_number_idx on registry.audit_checkpoint_heads (number, stream_id);
alter table registry.audit_checkpoints alter column root set storage plain, alter column signature set storage plain;
alter table registry.audit_checkpoint_heads alter column chain_hash set storage plain;

-- Beside the heads and not in them: whoever takes a checkpoint waits for no writer of the log, and none for him.
create table registry.audit_checkpointed (
  stream_id uuid not null,
  stream_seq bigint not null,
  constraint audit_checkpointed_pkey primary key (stream_id)
);
comment on table registry.audit_checkpointed is 'Up to where every stream is in some checkpoint: what is beyond goes into the next one.';

create table registry.audit_checkpoints_unpublished (
  number bigint not null,
  constraint audit_checkpoints_unpublished_pkey primary key (number),
  constraint audit_checkpoints_unpublished_number_fkey foreign key (number) references registry.audit_checkpoints (number)
);
comment on table registry.audit_checkpoints_unpublished is 'Checkpoints that have not been written to the log stream yet: a process may end between the two.';

-- Erases what events say of persons: the personal block, the salt without which its digest tells nothing, and what they
-- are found by. The digest stays, so the chain still verifies. For the owner of the log alone: no comment that begins
-- with the word by which the runtime role is granted a function. Who calls it records it in the same transaction.
create function registry.redact_audit_events(stream uuid, ids uuid[]) returns integer
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  redacted integer;
begin
  -- Before the head, as everybody who writes a tenant's log; and nobody puts a hold on it meanwhile.
  perform from public.tenants t where t.id = stream for share;
  if exists (select from registry.legal_holds h where h.stream_id = stream) then
    raise exception '% is under a legal hold', stream using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Whoever writes a stream's rows writes its head: a distributed engine commits by what it saw being written.
  update registry.audit_streams set last_seq = last_seq where stream_id = stream;
  update public.audit_log set
    actor_id = null, actor_name = null, actor_href = null, actor_fields = null,
    target_id = null, target_name = null, target_href = null, target_fields = null,
    group_name = null, source_ip = null, description = null, external_id = null,
    fields = null, metadata = null, hash = null,
    row_salt = null, search = null
  where id = any (ids) and stream_id = stream and row_salt is not null
    -- What tells of redactions stays: an erased row that no event speaks of was erased by somebody else.
    and not (product = 'tenant-registry' and action = 'audit_event.redacted');
  get diagnostics redacted = row_count;
  return redacted;
end
$$;
comment on function registry.redact_audit_events(uuid, uuid[]) is 'owner: erases what these events of one stream say of persons; answers how many had something left. Refuses a stream under a legal hold.';
revoke execute on function registry.redact_audit_events(uuid, uuid[]) from public;
`,
    down: `drop function registry.redact_audit_events(uuid, uuid[]);
drop table registry.audit_checkpoints_unpublished;
drop table registry.audit_checkpointed;
drop table registry.audit_checkpoint_heads;
drop table registry.audit_checkpoints;
drop table registry.audit_signing_keys;
drop domain registry.audit_signature;
`,
  },
  {
    version: 15,
    name: '0015_audit_lists',
    checksum: 'b1a204a02dca869de809a591ff194da74a3ca333e2fab283b4815916b55c99f9',
    up: `-- migrate: each-partition audit_log

-- Lists of all tenants and products together.
create index audit_log_time_idx on audit_log (canonical_at desc, id desc);

-- What one product recorded for one tenant, however little of its log that is; and how much of it there is in one
-- environment and of some kinds, as far as it is still kept, which is counted in the index alone.
create index audit_log_stream_product_idx on audit_log (stream_id, product, canonical_at desc, id desc) include (environment, crud, received_at);
`,
    down: `drop index audit_log_stream_product_idx;
drop index audit_log_time_idx;
`,
  },
  {
    version: 16,
    name: '0016_audit_viewers',
    checksum: 'faaa173672ed2e0454a09330811ee5374f3635f4a69b43704bbceacabba7d398',
    up: `-- Who looks into the log of one group by Retraced's wire: for minutes in a viewer, for as long as they are not ended with
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
`,
    down: `-- The keys stay, and open nothing without what they belong to.
drop table registry.audit_exports;
drop table registry.audit_enterprise_tokens;
drop table registry.audit_viewers;
`,
  },
  {
    version: 17,
    name: '0017_audit_outlets',
    checksum: 'd3e665d8e7013ac26f60f5d7e94f6f90a763117f7ef8627511e09ddc2fcaab3e',
    up: `-- Following the log stream by stream, and how long its events are kept.

-- Who follows the log asks which streams changed since. It costs the heads their updates in place, which is little beside
-- the indexes of the rows that are written with them.
create index audit_streams_changed_idx on registry.audit_streams (last_received_at, stream_id);

create table registry.audit_retention (
  product text not null,
  plan text not null,
  days integer,
  since timestamptz(3) not null default now(),
  constraint audit_retention_pkey primary key (product, plan),
  constraint audit_retention_days_check check (days >= 0)
);
comment on table registry.audit_retention is 'For how many days the events of a product are kept, by plan, as the servers'' manifests say; null for ever.';
comment on column registry.audit_retention.plan is 'Empty for tenants without a plan, or with one that the product does not know.';
comment on column registry.audit_retention.since is 'Since when that has been said: what is deleted waits until nobody says otherwise any more.';

-- What an assignment says, where it is a number of days at all.
create function registry.audit_days(limits jsonb) returns integer
language sql immutable as $$
  select case when jsonb_typeof(limits -> 'audit_retention_days') = 'number'
    then least(greatest((limits ->> 'audit_retention_days')::numeric, 0), 1000000)::integer end
$$;
comment on function registry.audit_days(jsonb) is 'runtime: the audit_retention_days of limits, null where they say nothing of it.';
create index tenant_products_audit_days_idx on tenant_products (registry.audit_days(limits))
  where registry.audit_days(limits) is not null;

-- Younger events are kept, whatever they are: most reads end here.
create function registry.audit_horizon() returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(now() - make_interval(days => least(
    (select min(days) from registry.audit_retention),
    (select min(registry.audit_days(limits)) from public.tenant_products where registry.audit_days(limits) is not null)
  )), '-infinity')
$$;
comment on function registry.audit_horizon() is 'runtime: events that came in at this moment or later are kept by every plan.';

-- Of one product, on any plan: what came in since the first of these moments is kept by all, and nothing by any that
-- came in before the second one.
create function registry.audit_horizon(wanted text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when exists (select from registry.audit_retention where product = wanted and plan = '')
    then coalesce(now() - make_interval(days => least(
      (select min(days) from registry.audit_retention where product = wanted),
      (select min(registry.audit_days(limits)) from public.tenant_products
        where product = wanted and registry.audit_days(limits) is not null)
    )), '-infinity') else '-infinity' end
$$;
comment on function registry.audit_horizon(text) is 'runtime: events of a product that came in at this moment or later are kept by every plan.';

create function registry.audit_floor(wanted text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when bool_and(days is not null) then now() - make_interval(days => greatest(
    max(days),
    (select max(registry.audit_days(limits)) from public.tenant_products
      where product = wanted and registry.audit_days(limits) is not null)
  )) else '-infinity' end
  from registry.audit_retention where product = wanted
$$;
comment on function registry.audit_floor(text) is 'runtime: events of a product that came in before this moment are kept by no plan.';

-- Of one tenant's log, for each product that does not keep its events for ever.
create function registry.audit_cutoffs(tenant uuid, hold_keeps boolean) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when hold_keeps and exists (select from registry.legal_holds where stream_id = tenant) then '{}'
    else coalesce(jsonb_object_agg(product, now() - make_interval(days => days)) filter (where days is not null), '{}') end
  from (
    select d.product, coalesce(registry.audit_days(a.limits), p.days, d.days) as days
    from registry.audit_retention d
    left join public.tenants t on t.id = tenant
    left join registry.audit_retention p on p.product = d.product and p.plan = t.plan
    left join public.tenant_products a on a.tenant_id = t.id and a.product = d.product
    where d.plan = ''
  ) terms
$$;
comment on function registry.audit_cutoffs(uuid, boolean) is 'runtime: by product since when the events of a tenant''s log are kept; nothing of one whose hold keeps them all.';
revoke execute on function registry.audit_days(jsonb), registry.audit_horizon(), registry.audit_horizon(text),
  registry.audit_floor(text), registry.audit_cutoffs(uuid, boolean) from public;

create table registry.audit_cuts (
  stream_id uuid not null,
  stream_seq bigint not null,
  chain_hash registry.audit_sha256 not null,
  received_at timestamptz(3) not null,
  cut_at timestamptz(3) not null default now(),
  constraint audit_cuts_pkey primary key (stream_id, stream_seq)
);
comment on table registry.audit_cuts is 'The last row of each stream that went with a month: the chain of what is left begins behind the latest. Written by the owner alone.';

create table registry.audit_drops (
  month date not null,
  events bigint not null,
  streams bigint not null,
  last_received_at timestamptz(3),
  begun_at timestamptz(3) not null default now(),
  dropped_at timestamptz(3),
  recorded_at timestamptz(3),
  constraint audit_drops_pkey primary key (month)
);
comment on table registry.audit_drops is 'Months of the log that are dropped: begun by the owner, and told of in the log by a server.';
`,
    down: `drop table registry.audit_drops;
drop table registry.audit_cuts;
drop function registry.audit_cutoffs(uuid, boolean);
drop function registry.audit_floor(text);
drop function registry.audit_horizon(text);
drop function registry.audit_horizon();
drop index tenant_products_audit_days_idx;
drop function registry.audit_days(jsonb);
drop table registry.audit_retention;
drop index registry.audit_streams_changed_idx;
`,
  },
  {
    version: 18,
    name: '0018_audit_support_viewers',
    checksum: '951a19eb73a0a4250cf0ae4a60a5e9828a8cafa902cbf3f2eec37bd917a6715d',
    up: `-- The platform's people look into the whole log of a tenant, over all products, for minutes. Tables of their own: what a
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
`,
    down: `drop table registry.audit_support_exports;
drop table registry.audit_support_viewers;
`,
  },
  {
    version: 19,
    name: '0019_audit_floor',
    checksum: 'e474ef43ed58e191fa106ad6f617466732996e2b55fef74b3e1264016a3896e6',
    up: `-- By the plans that tenants are on: one that is only in a manifest kept the whole past of a product from being left out.
create or replace function registry.audit_floor(wanted text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when bool_and(days is not null) then now() - make_interval(days => greatest(
    max(days),
    (select max(registry.audit_days(limits)) from public.tenant_products
      where product = wanted and registry.audit_days(limits) is not null)
  )) else '-infinity' end
  from registry.audit_retention term
  where product = wanted and (plan = '' or exists (select from public.tenants where tenants.plan = term.plan))
$$;
comment on function registry.audit_floor(text) is 'runtime: events of a product that came in before this moment are kept by no plan that a tenant is on.';
`,
    down: `create or replace function registry.audit_floor(wanted text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when bool_and(days is not null) then now() - make_interval(days => greatest(
    max(days),
    (select max(registry.audit_days(limits)) from public.tenant_products
      where product = wanted and registry.audit_days(limits) is not null)
  )) else '-infinity' end
  from registry.audit_retention where product = wanted
$$;
comment on function registry.audit_floor(text) is 'runtime: events of a product that came in before this moment are kept by no plan.';
`,
  },
  {
    version: 20,
    name: '0020_audit_expiry_places',
    checksum: '5fa2bb066e86fefc90e17d9fc2ad96a4e40be6bf54035a6a0585454cdf5b94b8',
    up: `-- How far the redaction of what is over has come in each stream, so that no run looks at what the ones before it did.

create table registry.audit_expired (
  stream_id uuid not null,
  product text not null,
  stream_seq bigint not null,
  constraint audit_expired_pkey primary key (stream_id, product)
);
comment on table registry.audit_expired is 'Up to which place of a stream the events of a product that were over are redacted: the next run goes on behind it.';

comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of product, environment, stream and external_id: none of them is kept here.';
`,
    down: `comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of the stream and the external_id: neither is kept here.';
drop table registry.audit_expired;
`,
  },
  {
    version: 21,
    name: '0021_audit_search_flush',
    checksum: '07c194daf8acbbe04f64c718dbde82d1d141e5a515746584fe54400b52a10d16',
    up: `-- GIN keeps a list of what came in, and whoever makes it too long puts all of it into the index: a tenth of a second in
-- which a batch of events waits. So a server does it beside its batches, before the list is that long.

create function registry.flush_audit_search() returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(gin_clean_pending_list(part.inhrelid::regclass)), 0)::bigint
  from pg_inherits part
  join pg_index index on index.indexrelid = part.inhrelid
  where part.inhparent = 'public.audit_log_search_idx'::regclass
    and index.indrelid = to_regclass('registry.audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM'))
$$;
comment on function registry.flush_audit_search() is 'runtime: puts into the search index of this month what it has only listed so far; answers how many pages that were.';
revoke execute on function registry.flush_audit_search() from public;
`,
    down: `drop function registry.flush_audit_search();
`,
  },
  {
    version: 22,
    name: '0022_audit_heads_in_place',
    checksum: 'e11226a93e1f819fb70242180793a6dc82bf54cf864647ef282ca689d91923f0',
    up: `-- Every batch of events moves the heads of its streams. PostgreSQL does that in place, and cleans up behind itself, where no
-- index has what changes and the page has room: over the time itself each head would leave a dead row and dead entries of
-- two indexes behind, thousands in a second, among which the next batch looks for its own.
--
-- The table is written anew, and nobody appends to the log meanwhile: a fifth of a second for 100 000 streams. Until the last
-- old server is gone, those list what changed by reading all heads.

drop index registry.audit_streams_changed_idx;
alter table registry.audit_streams set (fillfactor = 50);
alter table registry.audit_streams add column changed_in timestamptz(3) not null
  generated always as (date_bin(interval '10 seconds', last_received_at, timestamptz '1970-01-01 00:00:00+00')) stored;
comment on column registry.audit_streams.changed_in is 'The ten seconds in which the stream last changed: what it is found by, and the same for hundreds of batches.';
create index audit_streams_changed_idx on registry.audit_streams (changed_in);
`,
    down: `drop index registry.audit_streams_changed_idx;
alter table registry.audit_streams drop column changed_in;
alter table registry.audit_streams reset (fillfactor);
create index audit_streams_changed_idx on registry.audit_streams (last_received_at, stream_id);
`,
  },
]
