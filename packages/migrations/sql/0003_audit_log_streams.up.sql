-- The audit log becomes a partitioned, append-only, hash-chained log of streams.
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
  last_hash registry.audit_sha256 not null default '\x0000000000000000000000000000000000000000000000000000000000000000',
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
  padded bytea := message || '\x80'::bytea
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
  select coalesce(int4send(octet_length(content)) || content, '\xffffffff'::bytea)
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
      || convert_to(concat_ws(E'\n', product, environment, group_id), 'UTF8')
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
    link := sha256(head.last_hash || '\x01'::bytea
      || registry.migration_piece(uuid_send(r.id)) || registry.migration_piece(uuid_send(r.stream_id))
      || registry.migration_piece(int8send(head.last_seq + 1))
      || registry.migration_piece(registry.migration_millis(r.received_at))
      || registry.migration_piece(registry.migration_millis(at))
      || registry.migration_piece(registry.migration_millis(r.created_at))
      || registry.migration_piece(r.product) || registry.migration_piece('live'::text)
      || registry.migration_piece(r.action) || registry.migration_piece(r.crud)
      || registry.migration_piece(r.group_id) || registry.migration_piece(r.target_type)
      || registry.migration_piece(r.component) || registry.migration_piece(r.version)
      || registry.migration_piece(case when r.is_anonymous then '\x01'::bytea when not r.is_anonymous then '\x00'::bytea end)
      || registry.migration_piece(case when r.is_failure then '\x01'::bytea when not r.is_failure then '\x00'::bytea end)
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
