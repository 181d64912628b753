-- A feed of what changed, in the order of the commits and without gaps: deferred triggers run at commit, and each takes
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
