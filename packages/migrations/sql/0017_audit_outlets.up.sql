-- Following the log stream by stream, and how long its events are kept.

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
