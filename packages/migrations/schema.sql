-- Made by packages/migrations/scripts/schema.ts from a migrated database. Do not edit; for reading, not for running.

create schema registry;
comment on schema registry is 'Every table that is not one of the six, and the functions made for the runtime role.';

create type public.idp_kind as enum ('oidc', 'saml');

create type public.tenant_kind as enum ('customer', 'demo');

create type public.tenant_project_status as enum ('active', 'archived');

create type public.tenant_status as enum ('demo', 'trial', 'active', 'frozen', 'archived');

create domain registry.audit_crud as text constraint audit_crud_check CHECK ((VALUE = ANY (ARRAY['c'::text, 'r'::text, 'u'::text, 'd'::text])));

create domain registry.audit_environment as text constraint audit_environment_check CHECK ((VALUE = ANY (ARRAY['live'::text, 'test'::text])));

create domain registry.audit_salt as bytea constraint audit_salt_check CHECK ((octet_length(VALUE) = 16));

create domain registry.audit_sha256 as bytea constraint audit_sha256_check CHECK ((octet_length(VALUE) = 32));

create domain registry.audit_term as text collate "C" constraint audit_term_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 1024)));
comment on domain registry.audit_term is 'An action or an id: short enough for a btree entry, compared by bytes so that a prefix is a range.';

CREATE OR REPLACE FUNCTION public.set_updated_at()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.updated_at := now();
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION registry.create_audit_partition(month date)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
      '^CREATE INDEX \S+ ON (ONLY )?\S+ ',
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
$function$;

CREATE OR REPLACE FUNCTION registry.ensure_audit_partitions()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
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
$function$;
comment on function registry.ensure_audit_partitions() is 'runtime: makes the partitions of this month and the next twelve; answers how many were missing.';

create table public.api_keys (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  name text not null default ''::text,
  prefix text not null,
  hash text not null,
  scopes text[] not null default '{}'::text[],
  revoked_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_prefix_key UNIQUE (prefix),
  constraint api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE INDEX api_keys_tenant_id_idx ON public.api_keys USING btree (tenant_id);
CREATE TRIGGER api_keys_set_updated_at BEFORE UPDATE ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.audit_log (
  id uuid not null,
  stream_id uuid not null,
  stream_seq bigint not null,
  received_at timestamp(3) with time zone not null,
  canonical_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone,
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
  constraint audit_log_pkey PRIMARY KEY (id, stream_id, received_at),
  constraint audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE SET NULL
) partition by range (received_at);
comment on table public.audit_log is 'Append-only: the runtime role may insert and select. Partitions by UTC month live in schema registry.';
alter table public.audit_log alter column stream_id set statistics 1000;
alter table public.audit_log alter column product set statistics 500;
alter table public.audit_log alter column action set statistics 500;
alter table public.audit_log alter column group_id set statistics 1000;
alter table public.audit_log alter column hash set storage plain;
alter table public.audit_log alter column row_salt set storage plain;
alter table public.audit_log alter column personal_digest set storage plain;
alter table public.audit_log alter column prev_hash set storage plain;
alter table public.audit_log alter column chain_hash set storage plain;
CREATE INDEX audit_log_group_time_idx ON ONLY public.audit_log USING btree (product, environment, group_id, canonical_at DESC, id DESC) INCLUDE (crud);
CREATE INDEX audit_log_product_time_idx ON ONLY public.audit_log USING btree (product, canonical_at DESC, id DESC);
CREATE INDEX audit_log_search_idx ON ONLY public.audit_log USING gin (search);
CREATE INDEX audit_log_stream_action_idx ON ONLY public.audit_log USING btree (stream_id, action, canonical_at DESC, id DESC);
CREATE INDEX audit_log_stream_actor_idx ON ONLY public.audit_log USING btree (stream_id, actor_id, canonical_at DESC, id DESC);
CREATE INDEX audit_log_stream_ext_idx ON ONLY public.audit_log USING btree (stream_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX audit_log_stream_seq_idx ON ONLY public.audit_log USING btree (stream_id, stream_seq);
CREATE INDEX audit_log_stream_target_idx ON ONLY public.audit_log USING btree (stream_id, target_id, canonical_at DESC, id DESC);
CREATE INDEX audit_log_stream_time_idx ON ONLY public.audit_log USING btree (stream_id, canonical_at DESC, id DESC);
CREATE INDEX audit_log_tenant_idx ON ONLY public.audit_log USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);

create table public.tenant_idp_config (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  kind public.idp_kind not null,
  metadata jsonb not null default '{}'::jsonb,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint tenant_idp_config_pkey PRIMARY KEY (id),
  constraint tenant_idp_config_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE INDEX tenant_idp_config_tenant_id_idx ON public.tenant_idp_config USING btree (tenant_id);
CREATE TRIGGER tenant_idp_config_set_updated_at BEFORE UPDATE ON public.tenant_idp_config FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.tenant_products (
  tenant_id uuid not null,
  product text not null,
  config jsonb not null default '{}'::jsonb,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint tenant_products_pkey PRIMARY KEY (tenant_id, product),
  constraint tenant_products_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE INDEX tenant_products_product_idx ON public.tenant_products USING btree (product, tenant_id);
CREATE TRIGGER tenant_products_set_updated_at BEFORE UPDATE ON public.tenant_products FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.tenant_projects (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  slug text not null,
  name text not null,
  status public.tenant_project_status not null default 'active'::public.tenant_project_status,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint tenant_projects_pkey PRIMARY KEY (id),
  constraint tenant_projects_tenant_id_slug_key UNIQUE (tenant_id, slug),
  constraint tenant_projects_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE TRIGGER tenant_projects_set_updated_at BEFORE UPDATE ON public.tenant_projects FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.tenants (
  id uuid not null default gen_random_uuid(),
  slug text not null,
  name text not null,
  status public.tenant_status not null default 'trial'::public.tenant_status,
  kind public.tenant_kind not null default 'customer'::public.tenant_kind,
  plan text,
  erp_id text,
  stripe_id text,
  trial_ends_at timestamp(3) with time zone,
  contract_starts_at timestamp(3) with time zone,
  contract_ends_at timestamp(3) with time zone,
  sales_owner text,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_erp_id_key UNIQUE (erp_id),
  constraint tenants_slug_key UNIQUE (slug),
  constraint tenants_stripe_id_key UNIQUE (stripe_id),
  constraint tenants_slug_check CHECK (((slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$'::text) AND (slug !~ '--'::text) AND (slug ~ '[a-z]'::text) AND (slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'::text)))
);
CREATE INDEX tenants_created_at_id_idx ON public.tenants USING btree (created_at DESC, id DESC);
CREATE TRIGGER tenants_set_updated_at BEFORE UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table registry.audit_streams (
  stream_id uuid not null,
  last_seq bigint not null default 0,
  last_hash registry.audit_sha256 not null default '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea,
  last_received_at timestamp(3) with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  constraint audit_streams_pkey PRIMARY KEY (stream_id)
);
comment on table registry.audit_streams is 'The head of every stream''s chain. Whoever writes audit_log locks and moves it in the same transaction.';
