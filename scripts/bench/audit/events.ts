/** The events of the bench, made by PostgreSQL itself: what each of them is depends on its number alone. */

/** How many streams share what the large tenant leaves: of four events in five, one after the other. */
export const otherStreams = { tenants: 400, groups: 100 } as const

/** Whose a fifth of all events are. */
export const largeTenant = '00000000-0000-4000-8000-000000000001'

const others = otherStreams.tenants + otherStreams.groups

/** The id of a tenant of the bench by its number; 0 is the large one. */
export const tenantId = (number: number): string => `00000000-0000-4000-8000-${String(number + 1).padStart(12, '0')}`

export const products = ['certifai', 'atlas', 'compliance', 'dossier'] as const

/**
 * What the events are made of: half sentences of five words, each word the rarer the later it is in its list of 50 000,
 * as in every language, and 60 actions of ten kinds.
 */
export const ingredients = `
  create schema if not exists bench;
  drop table if exists bench.halves, bench.actions;
  create unlogged table bench.halves as
    select n, string_agg(word, ' ') as words from (
      select n, bench_word(floor(exp(random() * ln(50000)))::integer) as word
      from generate_series(0, 99999) n, generate_series(1, 5) w
    ) words group by n;
  create unlogged table bench.actions as
    select row_number() over (order by kind, verb) - 1 as n,
      (array['report', 'document', 'user', 'login', 'invoice', 'policy', 'export', 'key', 'project', 'setting'])[kind]
        || '.' || (array['read', 'created', 'updated', 'deleted', 'shared', 'denied'])[verb] as action,
      (array['r', 'c', 'u', 'd', 'u', 'r'])[verb] as crud
    from generate_series(1, 10) kind, generate_series(1, 6) verb;
  create unique index on bench.halves (n) include (words);
  create unique index on bench.actions (n);
  analyze bench.halves, bench.actions;`

/** A word that nobody else uses, for each number: three to eleven letters. */
export const wordFunction = `
  create or replace function public.bench_word(n integer) returns text language sql immutable as $$
    select string_agg(substr('bacadafagahajakalamanaparasatavaxazebecedefegehejekelemeneperesetevexezeb', 1 + 2 * ((n / (36 ^ i)::bigint) % 36)::integer, 2), '')
      || 'n'
    from generate_series(0, greatest(0, floor(ln(greatest(n, 1)) / ln(36)))::integer) i
  $$`

/**
 * Inserts the events number $1 to $2, of $3 in all, which lie evenly in the 24 months that end at $4. As they came in, so
 * they stand in the table. Every second says itself when it happened, and one in a hundred comes days late. Their chain
 * is none: the hashes are of the right length.
 */
export const insertEvents = `
  insert into audit_log (
    id, stream_id, stream_seq, received_at, canonical_at, created_at, tenant_id, product, environment, action, crud,
    group_id, group_name, actor_id, actor_name, target_id, target_name, target_type, source_ip, description, component,
    version, external_id, is_failure, fields, metadata, hash, chain_version, row_salt, personal_digest, prev_hash,
    chain_hash, search
  )
  select id, stream_id, stream_seq, received_at, coalesce(created_at, received_at), created_at, tenant_id, product, environment,
    action, crud, group_id, group_name, actor_id, actor_name, target_id, target_name, target_type, source_ip, description,
    'web', '2026.11', external_id, is_failure, fields::json, metadata::json, digest, 1, substr(digest, 1, 16), digest, digest, digest,
    to_tsvector('simple', concat_ws(' ', action, product, group_id, group_name, actor_id, actor_name, target_id, target_name,
      target_type, description, source_ip, 'web', '2026.11', external_id, quality, record_id, request_id, agent))
      || array_to_tsvector(array[stream_id::text, action])
  from (
    select *,
      (lpad(to_hex((extract(epoch from received_at) * 1000)::bigint), 12, '0') || '7' || substr(md5, 1, 3) || '8' || substr(md5, 4, 15))::uuid as id,
      case when is_tenant then stream_id end as tenant_id,
      case when is_tenant then stream_id::text else 'group-' || stream end as group_id,
      case when is_tenant then 'Tenant ' || stream else 'Group ' || stream end as group_name,
      'person-' || stream || '-' || actor || '@example.com' as actor_id,
      'Person ' || actor as actor_name,
      'thing-' || target as target_id,
      'Thing ' || target as target_name,
      split_part(action, '.', 1) as target_type,
      '10.' || stream % 200 || '.' || actor % 250 || '.' || target % 250 as source_ip,
      case when n % 10 = 7 then 'order-' || n end as external_id,
      case when n % 2 = 0 then received_at - make_interval(secs => case when n % 100 = 50 then 86400 * 3 else 2 end) end as created_at,
      json_build_object('quality', quality, 'record_id', record_id)::text as fields,
      json_build_object('request_id', request_id, 'user_agent', agent)::text as metadata,
      sha256(int8send(n)) as digest
    from (
      select drawn.n, stream, stream_seq, action, crud, actor, target, md5, one.words || ' ' || two.words as description,
        ('00000000-0000-4000-8000-' || lpad((stream + 1)::text, 12, '0'))::uuid as stream_id,
        stream <= ${otherStreams.tenants} as is_tenant,
        (array['certifai', 'certifai', 'certifai', 'certifai', 'atlas', 'atlas', 'compliance', 'dossier'])[1 + floor(random_product * 8)::integer] as product,
        case when random_environment < 0.05 then 'test' else 'live' end as environment,
        received_at,
        case when drawn.n % 3 = 0 then drawn.n % 9 = 0 end as is_failure,
        (array['good', 'fair', 'poor'])[1 + drawn.n % 3] as quality, 'record-' || drawn.n % 100000 as record_id,
        case when drawn.n % 2 = 0 then substr(md5, 1, 16) end as request_id, 'Mozilla/5.0' as agent
      from (
        select n, stream,
          case when stream = 0 then n / 5 else (n / 5 * 4 + n % 5 - 1) / ${others} end + 1 as stream_seq,
          -- A few do much, many little.
          floor((case when stream = 0 then 5000 else 50 end) * power(random(), 3))::bigint as actor,
          floor(100000 * power(random(), 2))::bigint as target,
          floor(60 * power(random(), 2))::bigint as action_number,
          floor(100000 * random())::integer as first_half, floor(100000 * random())::integer as second_half,
          random() as random_product, random() as random_environment, md5(n::text) as md5,
          date_trunc('milliseconds', first + (n + 1)::float8 / ($3::bigint + 1) * ($4::timestamptz - first)) as received_at
        from (
          select n, case when n % 5 = 0 then 0 else 1 + (n / 5 * 4 + n % 5 - 1) % ${others} end as stream
          from generate_series($1::bigint, $2::bigint) n
        ) numbers,
          lateral (select (date_trunc('month', $4::timestamptz at time zone 'UTC') - interval '23 months') at time zone 'UTC' as first) began
      ) drawn
      join bench.actions on actions.n = action_number
      join bench.halves one on one.n = first_half
      join bench.halves two on two.n = second_half
    ) told
  ) event
  order by n`

/** The heads of their streams. */
export const insertHeads = `
  insert into registry.audit_streams (stream_id, last_seq, last_hash, last_received_at)
  select last.stream_id, last.stream_seq, last.chain_hash, last.received_at
  from (select stream_id, max(stream_seq) as seq from audit_log group by stream_id) as head
  join audit_log last on last.stream_id = head.stream_id and last.stream_seq = head.seq
  on conflict (stream_id) do update
  set last_seq = excluded.last_seq, last_hash = excluded.last_hash, last_received_at = excluded.last_received_at`

/** Tenants that have every product of the bench, on a plan by which all their events are kept. */
export const insertTenants = `
  with named as (
    select ('00000000-0000-4000-8000-' || lpad((n + 1)::text, 12, '0'))::uuid as id, n from generate_series(0, $1::integer) n
  ), inserted as (
    insert into tenants (id, slug, name, status, kind, plan, contract_starts_at)
    select id, 'tenant-' || n, 'Tenant ' || n, 'active', 'customer', 'enterprise', timestamptz '2020-01-01 00:00:00Z' from named
    on conflict do nothing
  ), slugs as (
    insert into registry.slugs (slug, tenant_id, current) select 'tenant-' || n, id, true from named on conflict do nothing
  )
  insert into tenant_products (tenant_id, product) select id, product from named, unnest($2::text[]) product
  on conflict do nothing`

/** Counts a viewer's scope of the tenant $1. */
export const countScope = `
  select count(*) from audit_log
  where stream_id = $1 and product = 'dossier' and environment = 'live' and crud in ('r', 'u')`
