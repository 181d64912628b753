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

create domain registry.audit_signature as bytea constraint audit_signature_check CHECK ((octet_length(VALUE) = 64));

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

CREATE OR REPLACE FUNCTION registry.audit_cutoffs(tenant uuid, hold_keeps boolean)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;
comment on function registry.audit_cutoffs(tenant uuid, hold_keeps boolean) is 'runtime: by product since when the events of a tenant''s log are kept; nothing of one whose hold keeps them all.';

CREATE OR REPLACE FUNCTION registry.audit_days(limits jsonb)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when jsonb_typeof(limits -> 'audit_retention_days') = 'number'
    then least(greatest((limits ->> 'audit_retention_days')::numeric, 0), 1000000)::integer end
$function$;
comment on function registry.audit_days(limits jsonb) is 'runtime: the audit_retention_days of limits, null where they say nothing of it.';

CREATE OR REPLACE FUNCTION registry.audit_floor(wanted text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select case when bool_and(days is not null) then now() - make_interval(days => greatest(
    max(days),
    (select max(registry.audit_days(limits)) from public.tenant_products
      where product = wanted and registry.audit_days(limits) is not null)
  )) else '-infinity' end
  from registry.audit_retention term
  where product = wanted and (plan = '' or exists (select from public.tenants where tenants.plan = term.plan))
$function$;
comment on function registry.audit_floor(wanted text) is 'runtime: events of a product that came in before this moment are kept by no plan that a tenant is on.';

CREATE OR REPLACE FUNCTION registry.audit_horizon()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select coalesce(now() - make_interval(days => least(
    (select min(days) from registry.audit_retention),
    (select min(registry.audit_days(limits)) from public.tenant_products where registry.audit_days(limits) is not null)
  )), '-infinity')
$function$;
comment on function registry.audit_horizon() is 'runtime: events that came in at this moment or later are kept by every plan.';

CREATE OR REPLACE FUNCTION registry.audit_horizon(wanted text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select case when exists (select from registry.audit_retention where product = wanted and plan = '')
    then coalesce(now() - make_interval(days => least(
      (select min(days) from registry.audit_retention where product = wanted),
      (select min(registry.audit_days(limits)) from public.tenant_products
        where product = wanted and registry.audit_days(limits) is not null)
    )), '-infinity') else '-infinity' end
$function$;
comment on function registry.audit_horizon(wanted text) is 'runtime: events of a product that came in at this moment or later are kept by every plan.';

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

CREATE OR REPLACE FUNCTION registry.flush_audit_search()
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select coalesce(sum(gin_clean_pending_list(part.inhrelid::regclass)), 0)::bigint
  from pg_inherits part
  join pg_index index on index.indexrelid = part.inhrelid
  where part.inhparent = 'public.audit_log_search_idx'::regclass
    and index.indrelid = to_regclass('registry.audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM'))
$function$;
comment on function registry.flush_audit_search() is 'runtime: puts into the search index of this month what it has only listed so far; answers how many pages that were.';

CREATE OR REPLACE FUNCTION registry.keep_api_key()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.keep_platform_tenant()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'the platform''s own tenant does not change, and has nothing but API keys'
    using errcode = 'check_violation', schema = 'public', table = 'tenants', constraint = 'tenants_platform_check';
end
$function$;

CREATE OR REPLACE FUNCTION registry.keep_project_slug()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if new.slug <> old.slug or new.tenant_id <> old.tenant_id then
    raise exception 'a project keeps its slug and its tenant'
      using errcode = 'check_violation', schema = 'public', table = 'tenant_projects', constraint = 'tenant_projects_slug_check';
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION registry.keep_slug()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.keep_tenant_lifecycle()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.keep_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  new.version := old.version + 1;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION registry.name_query(question text)
 RETURNS tsquery
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select case when numnode(words) = 0 then words else (words::text || ':*')::tsquery end
  from plainto_tsquery('pg_catalog.simple', regexp_replace(question, '[^[:alnum:]]+', ' ', 'g')) as words
$function$;
comment on function registry.name_query(question text) is 'runtime: what names have to have to answer a question: every word, the last one by its beginning.';

CREATE OR REPLACE FUNCTION registry.name_words(name text)
 RETURNS tsvector
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'))
$function$;
comment on function registry.name_words(name text) is 'runtime: the words of a name, in lower case.';

CREATE OR REPLACE FUNCTION registry.record_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.redact_audit_events(stream uuid, ids uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
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
$function$;
comment on function registry.redact_audit_events(stream uuid, ids uuid[]) is 'owner: erases what these events of one stream say of persons; answers how many had something left. Refuses a stream under a legal hold.';

CREATE OR REPLACE FUNCTION registry.refuse_retired_id()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if exists (select from registry.retired_ids where id = new.id) then
    raise exception 'the id % was that of a tenant that was purged', new.id
      using errcode = 'unique_violation', schema = 'registry', table = 'retired_ids', constraint = 'retired_ids_pkey';
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION registry.release_tenant_events(tenant uuid, rows_max integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
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
$function$;
comment on function registry.release_tenant_events(tenant uuid, rows_max integer) is 'runtime: nulls tenant_id of at most rows_max events of a tenant that is being purged; answers how many.';

CREATE OR REPLACE FUNCTION registry.remember_tenant_product()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into registry.tenant_products_ever (tenant_id, product) values (new.tenant_id, new.product) on conflict do nothing;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION registry.retire_tenant()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update registry.slugs set current = false where tenant_id = old.id and current;
  insert into registry.retired_ids (id) values (old.id) on conflict do nothing;
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION registry.say_why_keys_died()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

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
  project_id uuid,
  family_id uuid not null default gen_random_uuid(),
  replaced_by uuid,
  environment text not null default 'live'::text,
  audience text not null default 'tenant-registry'::text,
  issuer_kid text,
  expires_at timestamp(3) with time zone,
  enabled boolean not null default true,
  ip_allow cidr[] not null default '{}'::cidr[],
  metadata jsonb not null default '{}'::jsonb,
  revoked_reason text,
  revoked_by text,
  created_by text,
  version integer not null default 1,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_prefix_key UNIQUE (prefix),
  constraint api_keys_environment_check CHECK ((environment = ANY (ARRAY['live'::text, 'test'::text]))),
  constraint api_keys_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
  constraint api_keys_revoked_check CHECK (((revoked_at IS NOT NULL) OR ((revoked_reason IS NULL) AND (revoked_by IS NULL)))),
  constraint api_keys_project_fkey FOREIGN KEY (tenant_id, project_id) REFERENCES public.tenant_projects(tenant_id, id) ON DELETE CASCADE,
  constraint api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
comment on column public.api_keys.family_id is 'The first of the keys that were made from each other by rotation.';
comment on column public.api_keys.replaced_by is 'The key that took its place: a key is rotated once.';
comment on column public.api_keys.audience is 'Whom the key opens: a product, or the registry itself (tenant-registry).';
comment on column public.api_keys.issuer_kid is 'The key of the keyring that the token''s MAC was made with.';
CREATE INDEX api_keys_created_at_idx ON public.api_keys USING btree (tenant_id, created_at DESC, id DESC);
CREATE INDEX api_keys_family_idx ON public.api_keys USING btree (family_id);
CREATE INDEX api_keys_issuer_kid_idx ON public.api_keys USING btree (issuer_kid) WHERE (revoked_at IS NULL);
CREATE INDEX api_keys_project_idx ON public.api_keys USING btree (tenant_id, project_id) WHERE (project_id IS NOT NULL);
CREATE TRIGGER api_keys_keep_identity BEFORE UPDATE ON public.api_keys FOR EACH ROW EXECUTE FUNCTION registry.keep_api_key();
CREATE TRIGGER api_keys_keep_version BEFORE UPDATE OF name, scopes, expires_at, enabled, ip_allow, metadata, revoked_at, replaced_by ON public.api_keys FOR EACH ROW EXECUTE FUNCTION registry.keep_version();
CREATE CONSTRAINT TRIGGER api_keys_record_change AFTER INSERT OR DELETE OR UPDATE ON public.api_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.record_change('api_key', 'tenant_id', 'id');
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
CREATE INDEX audit_log_stream_product_idx ON ONLY public.audit_log USING btree (stream_id, product, canonical_at DESC, id DESC) INCLUDE (environment, crud, received_at);
CREATE INDEX audit_log_stream_seq_idx ON ONLY public.audit_log USING btree (stream_id, stream_seq);
CREATE INDEX audit_log_stream_target_idx ON ONLY public.audit_log USING btree (stream_id, target_id, canonical_at DESC, id DESC);
CREATE INDEX audit_log_stream_time_idx ON ONLY public.audit_log USING btree (stream_id, canonical_at DESC, id DESC);
CREATE INDEX audit_log_tenant_idx ON ONLY public.audit_log USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);
CREATE INDEX audit_log_time_idx ON ONLY public.audit_log USING btree (canonical_at DESC, id DESC);

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
CREATE TRIGGER tenant_idp_config_a_keep_platform BEFORE INSERT OR UPDATE ON public.tenant_idp_config FOR EACH ROW WHEN ((new.tenant_id = '00000000-0000-0000-0000-0000000000ff'::uuid)) EXECUTE FUNCTION registry.keep_platform_tenant();
CREATE TRIGGER tenant_idp_config_set_updated_at BEFORE UPDATE ON public.tenant_idp_config FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.tenant_products (
  tenant_id uuid not null,
  product text not null,
  config jsonb not null default '{}'::jsonb,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  enabled boolean not null default true,
  limits jsonb not null default '{}'::jsonb,
  valid_from timestamp(3) with time zone,
  valid_until timestamp(3) with time zone,
  source text not null default 'manual'::text,
  version integer not null default 1,
  constraint tenant_products_pkey PRIMARY KEY (tenant_id, product),
  constraint tenant_products_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
  constraint tenant_products_limits_check CHECK ((jsonb_typeof(limits) = 'object'::text)),
  constraint tenant_products_window_check CHECK ((valid_from < valid_until)),
  constraint tenant_products_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE INDEX tenant_products_audit_days_idx ON public.tenant_products USING btree (registry.audit_days(limits)) WHERE (registry.audit_days(limits) IS NOT NULL);
CREATE INDEX tenant_products_product_idx ON public.tenant_products USING btree (product, tenant_id);
CREATE TRIGGER tenant_products_a_keep_platform BEFORE INSERT OR UPDATE ON public.tenant_products FOR EACH ROW WHEN ((new.tenant_id = '00000000-0000-0000-0000-0000000000ff'::uuid)) EXECUTE FUNCTION registry.keep_platform_tenant();
CREATE TRIGGER tenant_products_keep_version BEFORE UPDATE ON public.tenant_products FOR EACH ROW EXECUTE FUNCTION registry.keep_version();
CREATE CONSTRAINT TRIGGER tenant_products_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_products DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.record_change('tenant_product', 'tenant_id', 'product');
CREATE TRIGGER tenant_products_remember AFTER INSERT ON public.tenant_products FOR EACH ROW EXECUTE FUNCTION registry.remember_tenant_product();
CREATE TRIGGER tenant_products_set_updated_at BEFORE UPDATE ON public.tenant_products FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table public.tenant_projects (
  id uuid not null default gen_random_uuid(),
  tenant_id uuid not null,
  slug text not null,
  name text not null,
  status public.tenant_project_status not null default 'active'::public.tenant_project_status,
  created_at timestamp(3) with time zone not null default now(),
  updated_at timestamp(3) with time zone not null default now(),
  labels jsonb not null default '{}'::jsonb,
  archived_at timestamp(3) with time zone,
  version integer not null default 1,
  constraint tenant_projects_pkey PRIMARY KEY (id),
  constraint tenant_projects_tenant_id_id_key UNIQUE (tenant_id, id),
  constraint tenant_projects_tenant_id_slug_key UNIQUE (tenant_id, slug),
  constraint tenant_projects_labels_check CHECK ((jsonb_typeof(labels) = 'object'::text)),
  constraint tenant_projects_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
CREATE INDEX tenant_projects_created_at_idx ON public.tenant_projects USING btree (tenant_id, created_at DESC, id DESC);
CREATE TRIGGER tenant_projects_a_keep_platform BEFORE INSERT OR UPDATE ON public.tenant_projects FOR EACH ROW WHEN ((new.tenant_id = '00000000-0000-0000-0000-0000000000ff'::uuid)) EXECUTE FUNCTION registry.keep_platform_tenant();
CREATE TRIGGER tenant_projects_keep_slug BEFORE UPDATE ON public.tenant_projects FOR EACH ROW EXECUTE FUNCTION registry.keep_project_slug();
CREATE TRIGGER tenant_projects_keep_version BEFORE UPDATE ON public.tenant_projects FOR EACH ROW EXECUTE FUNCTION registry.keep_version();
CREATE CONSTRAINT TRIGGER tenant_projects_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenant_projects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.record_change('tenant_project', 'tenant_id', 'id');
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
  status_reason text,
  status_note text,
  status_changed_at timestamp(3) with time zone not null default now(),
  status_changed_by text,
  frozen_from public.tenant_status,
  keys_valid_after timestamp(3) with time zone,
  archived_at timestamp(3) with time zone,
  deletion_protection boolean not null default false,
  metadata jsonb not null default '{}'::jsonb,
  version integer not null default 1,
  purge_after timestamp(3) with time zone,
  purge_requested_at timestamp(3) with time zone,
  purge_requested_by text,
  name_words tsvector not null generated always as (registry.name_words(name)) stored,
  keys_revoked_reason text,
  key_policy jsonb not null default '{}'::jsonb,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_erp_id_key UNIQUE (erp_id),
  constraint tenants_slug_key UNIQUE (slug),
  constraint tenants_stripe_id_key UNIQUE (stripe_id),
  constraint tenants_frozen_from_check CHECK ((frozen_from = ANY (ARRAY['demo'::public.tenant_status, 'trial'::public.tenant_status, 'active'::public.tenant_status]))),
  constraint tenants_key_policy_check CHECK ((jsonb_typeof(key_policy) = 'object'::text)),
  constraint tenants_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text)),
  constraint tenants_slug_check CHECK (((slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$'::text) AND (slug !~ '--'::text) AND (slug ~ '[a-z]'::text) AND (slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'::text)))
);
comment on column public.tenants.frozen_from is 'What the tenant was frozen or archived out of; null while it is neither.';
comment on column public.tenants.keys_valid_after is 'API keys that were not issued after this are dead for good.';
comment on column public.tenants.name_words is 'What a search of names looks in; nobody reads it.';
comment on column public.tenants.key_policy is 'What every key of the tenant has to keep to: max_days, expiry_required.';
CREATE INDEX tenants_created_at_id_idx ON public.tenants USING btree (created_at DESC, id DESC);
CREATE INDEX tenants_demo_idx ON public.tenants USING btree (created_at DESC, id DESC) WHERE (kind = 'demo'::public.tenant_kind);
CREATE INDEX tenants_ended_trials_idx ON public.tenants USING btree (trial_ends_at) WHERE ((status = 'frozen'::public.tenant_status) AND (frozen_from = 'trial'::public.tenant_status) AND (status_reason = 'trial_expired'::text));
CREATE INDEX tenants_name_idx ON public.tenants USING btree (lower(name) COLLATE "C", id);
CREATE INDEX tenants_name_words_idx ON public.tenants USING gin (name_words) WITH (fastupdate=off);
CREATE INDEX tenants_plan_idx ON public.tenants USING btree (plan, created_at DESC, id DESC);
CREATE INDEX tenants_purge_requested_at_idx ON public.tenants USING btree (purge_requested_at) WHERE (purge_requested_at IS NOT NULL);
CREATE INDEX tenants_sales_owner_idx ON public.tenants USING btree (sales_owner, created_at DESC, id DESC) WHERE (sales_owner IS NOT NULL);
CREATE INDEX tenants_slug_idx ON public.tenants USING btree (slug COLLATE "C", id);
CREATE INDEX tenants_status_idx ON public.tenants USING btree (status, created_at DESC, id DESC);
CREATE INDEX tenants_trial_ends_at_idx ON public.tenants USING btree (trial_ends_at) WHERE ((status = 'trial'::public.tenant_status) AND (trial_ends_at IS NOT NULL));
CREATE TRIGGER tenants_a_keep_platform BEFORE DELETE OR UPDATE ON public.tenants FOR EACH ROW WHEN ((old.id = '00000000-0000-0000-0000-0000000000ff'::uuid)) EXECUTE FUNCTION registry.keep_platform_tenant();
CREATE TRIGGER tenants_keep_lifecycle BEFORE INSERT OR UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION registry.keep_tenant_lifecycle();
CREATE TRIGGER tenants_keep_slug AFTER INSERT OR UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION registry.keep_slug();
CREATE TRIGGER tenants_keep_version BEFORE UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION registry.keep_version();
CREATE TRIGGER tenants_keys_reason BEFORE UPDATE ON public.tenants FOR EACH ROW WHEN ((new.keys_valid_after IS DISTINCT FROM old.keys_valid_after)) EXECUTE FUNCTION registry.say_why_keys_died();
CREATE CONSTRAINT TRIGGER tenants_record_change AFTER INSERT OR DELETE OR UPDATE ON public.tenants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.record_change('tenant', 'id', 'id');
CREATE TRIGGER tenants_refuse_retired_id AFTER INSERT ON public.tenants FOR EACH ROW EXECUTE FUNCTION registry.refuse_retired_id();
CREATE TRIGGER tenants_retire BEFORE DELETE ON public.tenants FOR EACH ROW EXECUTE FUNCTION registry.retire_tenant();
CREATE TRIGGER tenants_set_updated_at BEFORE UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

create table registry.api_key_usage (
  api_key_id uuid not null,
  last_used_at timestamp(3) with time zone not null,
  last_used_ip inet,
  constraint api_key_usage_pkey PRIMARY KEY (api_key_id),
  constraint api_key_usage_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_keys(id) ON DELETE CASCADE
);
comment on table registry.api_key_usage is 'When a key was last used, up to a minute late. Apart from the key: writing it changes nothing of the key.';

create table registry.audit_checkpoint_heads (
  stream_id uuid not null,
  stream_seq bigint not null,
  chain_hash registry.audit_sha256 not null,
  number bigint not null,
  constraint audit_checkpoint_heads_pkey PRIMARY KEY (stream_id, stream_seq, number),
  constraint audit_checkpoint_heads_number_fkey FOREIGN KEY (number) REFERENCES registry.audit_checkpoints(number)
);
comment on table registry.audit_checkpoint_heads is 'The leaves of every checkpoint''s tree, which are in the order of their streams. Append-only.';
alter table registry.audit_checkpoint_heads alter column chain_hash set storage plain;
CREATE INDEX audit_checkpoint_heads_number_idx ON registry.audit_checkpoint_heads USING btree (number, stream_id);

create table registry.audit_checkpointed (
  stream_id uuid not null,
  stream_seq bigint not null,
  constraint audit_checkpointed_pkey PRIMARY KEY (stream_id)
);
comment on table registry.audit_checkpointed is 'Up to where every stream is in some checkpoint: what is beyond goes into the next one.';

create table registry.audit_checkpoints (
  number bigint not null,
  taken_at timestamp(3) with time zone not null,
  head_count integer not null,
  root registry.audit_sha256 not null,
  previous_root registry.audit_sha256 not null,
  key_id text not null,
  signature registry.audit_signature not null,
  constraint audit_checkpoints_pkey PRIMARY KEY (number),
  constraint audit_checkpoints_key_id_fkey FOREIGN KEY (key_id) REFERENCES registry.audit_signing_keys(key_id)
);
comment on table registry.audit_checkpoints is 'The heads of all streams that had changed, as one signed Merkle root; each names the root before it. Append-only.';
alter table registry.audit_checkpoints alter column root set storage plain;
alter table registry.audit_checkpoints alter column signature set storage plain;

create table registry.audit_checkpoints_unpublished (
  number bigint not null,
  constraint audit_checkpoints_unpublished_pkey PRIMARY KEY (number),
  constraint audit_checkpoints_unpublished_number_fkey FOREIGN KEY (number) REFERENCES registry.audit_checkpoints(number)
);
comment on table registry.audit_checkpoints_unpublished is 'Checkpoints that have not been written to the log stream yet: a process may end between the two.';

create table registry.audit_cuts (
  stream_id uuid not null,
  stream_seq bigint not null,
  chain_hash registry.audit_sha256 not null,
  received_at timestamp(3) with time zone not null,
  cut_at timestamp(3) with time zone not null default now(),
  constraint audit_cuts_pkey PRIMARY KEY (stream_id, stream_seq)
);
comment on table registry.audit_cuts is 'The last row of each stream that went with a month: the chain of what is left begins behind the latest. Written by the owner alone.';

create table registry.audit_dedup (
  digest registry.audit_sha256 not null,
  fingerprint registry.audit_sha256 not null,
  event_ids uuid[] not null,
  hashes bytea[] not null,
  created_at timestamp(3) with time zone not null default now(),
  constraint audit_dedup_pkey PRIMARY KEY (digest)
);
comment on table registry.audit_dedup is 'What was acknowledged under an Idempotency-Key, or an external_id that may come once: for seven days.';
comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of product, environment, stream and external_id: none of them is kept here.';
comment on column registry.audit_dedup.fingerprint is 'SHA-256 of what was sent: something else under the same key is refused.';
CREATE INDEX audit_dedup_created_at_idx ON registry.audit_dedup USING btree (created_at);

create table registry.audit_drops (
  month date not null,
  events bigint not null,
  streams bigint not null,
  last_received_at timestamp(3) with time zone,
  begun_at timestamp(3) with time zone not null default now(),
  dropped_at timestamp(3) with time zone,
  recorded_at timestamp(3) with time zone,
  constraint audit_drops_pkey PRIMARY KEY (month)
);
comment on table registry.audit_drops is 'Months of the log that are dropped: begun by the owner, and told of in the log by a server.';

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
  created_at timestamp(3) with time zone not null default now(),
  constraint audit_enterprise_tokens_pkey PRIMARY KEY (api_key_id),
  constraint audit_enterprise_tokens_sealed_check CHECK (((sealed IS NULL) = (kid IS NULL))),
  constraint audit_enterprise_tokens_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_keys(id) ON DELETE CASCADE,
  constraint audit_enterprise_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
comment on table registry.audit_enterprise_tokens is 'What an API key of the platform''s own that reads one group''s log belongs to. Without its row here such a key opens nothing.';
comment on column registry.audit_enterprise_tokens.sealed is 'The token under a key of the keyring: Retraced''s wire shows it again to who made it. Null where it is shown once.';
CREATE INDEX audit_enterprise_tokens_group_idx ON registry.audit_enterprise_tokens USING btree (product, environment, group_id, created_at);
CREATE INDEX audit_enterprise_tokens_tenant_idx ON registry.audit_enterprise_tokens USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);

create table registry.audit_entities (
  scope uuid not null,
  kind text not null,
  entity_id registry.audit_term not null,
  name text,
  href text,
  type text,
  fields json,
  constraint audit_entities_pkey PRIMARY KEY (scope, kind, entity_id),
  constraint audit_entities_kind_check CHECK ((kind = ANY (ARRAY['actor'::text, 'group'::text, 'target'::text])))
);
comment on table registry.audit_entities is 'What was last said of an actor, a target or a group: events that name only its id get the rest from here.';
comment on column registry.audit_entities.scope is 'UUIDv5 of product, environment and group: what one customer says of somebody no other one is shown.';

create table registry.audit_expired (
  stream_id uuid not null,
  product text not null,
  stream_seq bigint not null,
  constraint audit_expired_pkey PRIMARY KEY (stream_id, product)
);
comment on table registry.audit_expired is 'Up to which place of a stream the events of a product that were over are redacted: the next run goes on behind it.';

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
  saved_at timestamp(3) with time zone not null default now(),
  constraint audit_exports_pkey PRIMARY KEY (id),
  constraint audit_exports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
comment on table registry.audit_exports is 'Searches that a viewer saved under a name, to have what they find as a file. The file is made each time.';
CREATE INDEX audit_exports_group_idx ON registry.audit_exports USING btree (product, environment, group_id, saved_at DESC, id DESC);
CREATE INDEX audit_exports_tenant_idx ON registry.audit_exports USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);

create table registry.audit_retention (
  product text not null,
  plan text not null,
  days integer,
  since timestamp(3) with time zone not null default now(),
  constraint audit_retention_pkey PRIMARY KEY (product, plan),
  constraint audit_retention_days_check CHECK ((days >= 0))
);
comment on table registry.audit_retention is 'For how many days the events of a product are kept, by plan, as the servers'' manifests say; null for ever.';
comment on column registry.audit_retention.plan is 'Empty for tenants without a plan, or with one that the product does not know.';
comment on column registry.audit_retention.since is 'Since when that has been said: what is deleted waits until nobody says otherwise any more.';

create table registry.audit_signing_keys (
  key_id text not null,
  public_key text not null,
  first_used_at timestamp(3) with time zone not null default now(),
  constraint audit_signing_keys_pkey PRIMARY KEY (key_id)
);
comment on table registry.audit_signing_keys is 'The public keys that checkpoints were signed with, also those of former times.';
comment on column registry.audit_signing_keys.public_key is 'Ed25519, as PEM.';

create table registry.audit_streams (
  stream_id uuid not null,
  last_seq bigint not null default 0,
  last_hash registry.audit_sha256 not null default '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea,
  last_received_at timestamp(3) with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  changed_in timestamp(3) with time zone not null generated always as (date_bin('00:00:10'::interval, last_received_at, '1970-01-01 00:00:00+00'::timestamp with time zone)) stored,
  constraint audit_streams_pkey PRIMARY KEY (stream_id)
) with (fillfactor=50);
comment on table registry.audit_streams is 'The head of every stream''s chain. Whoever writes audit_log locks and moves it in the same transaction.';
comment on column registry.audit_streams.changed_in is 'The ten seconds in which the stream last changed: what it is found by, and the same for hundreds of batches.';
CREATE INDEX audit_streams_changed_idx ON registry.audit_streams USING btree (changed_in);

create table registry.audit_support_exports (
  id uuid not null,
  viewer_id uuid not null,
  name text not null,
  body jsonb not null,
  saved_at timestamp(3) with time zone not null default now(),
  constraint audit_support_exports_pkey PRIMARY KEY (id),
  constraint audit_support_exports_viewer_id_fkey FOREIGN KEY (viewer_id) REFERENCES registry.audit_support_viewers(id) ON DELETE CASCADE
);
comment on table registry.audit_support_exports is 'Searches that were saved to have what they find as a file. They end with who saved them.';
CREATE INDEX audit_support_exports_viewer_idx ON registry.audit_support_exports USING btree (viewer_id, saved_at DESC, id DESC);

create table registry.audit_support_viewers (
  id uuid not null,
  token_digest registry.audit_sha256 not null,
  stream_id uuid not null,
  product text,
  environment registry.audit_environment,
  issuer_id registry.audit_term not null,
  issuer_name text,
  issuer_role text not null,
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone not null,
  constraint audit_support_viewers_pkey PRIMARY KEY (id),
  constraint audit_support_viewers_token_key UNIQUE (token_digest)
);
comment on table registry.audit_support_viewers is 'Which of the platform''s people may look into the whole log of a tenant now.';
comment on column registry.audit_support_viewers.token_digest is 'SHA-256 of the token: it has 128 random bits, so there is nothing to be guessed.';
comment on column registry.audit_support_viewers.stream_id is 'The stream of the tenant, whose id it has. The log stays when the tenant is gone.';
comment on column registry.audit_support_viewers.product is 'The one product whose events are seen; null for those of all, the registry among them.';
comment on column registry.audit_support_viewers.environment is 'The one environment whose events are seen; null for both.';
CREATE INDEX audit_support_viewers_expires_idx ON registry.audit_support_viewers USING btree (expires_at);

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
  created_at timestamp(3) with time zone not null default now(),
  expires_at timestamp(3) with time zone not null,
  constraint audit_viewers_pkey PRIMARY KEY (id),
  constraint audit_viewers_token_key UNIQUE (token_digest),
  constraint audit_viewers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
comment on table registry.audit_viewers is 'Who may look into the log of a group now. What a session says of itself is compared with this on every request.';
comment on column registry.audit_viewers.token_digest is 'SHA-256 of the token: it has 128 random bits, so there is nothing to be guessed.';
comment on column registry.audit_viewers.tenant_id is 'The tenant that the group is, if it is one: as it was when the token was made.';
CREATE INDEX audit_viewers_actor_idx ON registry.audit_viewers USING btree (product, environment, group_id, actor_id);
CREATE INDEX audit_viewers_expires_at_idx ON registry.audit_viewers USING btree (expires_at);
CREATE INDEX audit_viewers_tenant_idx ON registry.audit_viewers USING btree (tenant_id) WHERE (tenant_id IS NOT NULL);

create table registry.change_counter (
  one boolean not null default true,
  n bigint not null,
  constraint change_counter_pkey PRIMARY KEY (one),
  constraint change_counter_one_check CHECK (one)
);
comment on table registry.change_counter is 'The number of the latest change.';

create table registry.changes (
  n bigint not null,
  at timestamp(3) with time zone not null default clock_timestamp(),
  kind text not null,
  tenant_id uuid not null,
  ref_id text not null,
  constraint changes_pkey PRIMARY KEY (n),
  constraint changes_kind_check CHECK ((kind = ANY (ARRAY['tenant'::text, 'tenant_product'::text, 'tenant_project'::text, 'api_key'::text])))
);
comment on table registry.changes is 'What changed, newest last; kept for seven days. ref_id is the id of the thing, or the key of the product.';
CREATE INDEX changes_at_idx ON registry.changes USING btree (at);
CREATE INDEX changes_tenant_id_idx ON registry.changes USING btree (tenant_id, n);

create table registry.idempotency (
  digest bytea not null,
  fingerprint bytea not null,
  status smallint not null,
  headers jsonb not null default '{}'::jsonb,
  body text,
  sealed bytea,
  kid text,
  resource_id text,
  created_at timestamp(3) with time zone not null default now(),
  constraint idempotency_pkey PRIMARY KEY (digest),
  constraint idempotency_digest_check CHECK ((octet_length(digest) = 32)),
  constraint idempotency_fingerprint_check CHECK ((octet_length(fingerprint) = 32))
);
comment on table registry.idempotency is 'Answers for 24 hours. An answer with a secret is sealed, and the secret goes after 15 minutes.';
comment on column registry.idempotency.digest is 'HMAC of principal, method, path and key: the key itself is not kept.';
CREATE INDEX idempotency_created_at_idx ON registry.idempotency USING btree (created_at);

create table registry.legal_holds (
  stream_id uuid not null,
  reason text not null,
  by text not null,
  at timestamp(3) with time zone not null default now(),
  constraint legal_holds_pkey PRIMARY KEY (stream_id)
);
comment on table registry.legal_holds is 'Streams of the audit log that nothing may shorten; the tenants of such streams are not purged.';

create table registry.retired_ids (
  id uuid not null,
  retired_at timestamp(3) with time zone not null default now(),
  constraint retired_ids_pkey PRIMARY KEY (id)
);
comment on table registry.retired_ids is 'The ids of tenants that were purged. Nobody gets them again: the audit log still tells of them.';

create table registry.revocation_probe (
  one boolean not null default true,
  held_until timestamp(3) with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  constraint revocation_probe_pkey PRIMARY KEY (one),
  constraint revocation_probe_one_check CHECK (one)
);
comment on table registry.revocation_probe is 'Until when one replica has the turn to try how quickly it hears of a change.';

create table registry.secret_kids (
  kid text not null,
  check_value text not null,
  first_used_at timestamp(3) with time zone not null default now(),
  constraint secret_kids_pkey PRIMARY KEY (kid)
);
comment on table registry.secret_kids is 'The keys of the keyring that something was made with, and what tells a mistyped one from the right one.';

create table registry.slugs (
  slug text not null,
  tenant_id uuid,
  current boolean not null,
  taken_at timestamp(3) with time zone not null default now(),
  released_at timestamp(3) with time zone,
  constraint slugs_pkey PRIMARY KEY (slug),
  constraint slugs_current_check CHECK (((NOT current) OR (tenant_id IS NOT NULL))),
  constraint slugs_released_check CHECK (((released_at IS NULL) OR (tenant_id IS NULL))),
  constraint slugs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE SET NULL
);
comment on table registry.slugs is 'Every name a tenant has or had. Without a tenant it is nobody''s, and stays so until it is released.';
CREATE UNIQUE INDEX slugs_current_key ON registry.slugs USING btree (tenant_id) WHERE current;
CREATE INDEX slugs_tenant_id_idx ON registry.slugs USING btree (tenant_id);

create table registry.tenant_products_ever (
  tenant_id uuid not null,
  product text not null,
  constraint tenant_products_ever_pkey PRIMARY KEY (tenant_id, product),
  constraint tenant_products_ever_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE
);
comment on table registry.tenant_products_ever is 'Every product that a tenant has or had.';
