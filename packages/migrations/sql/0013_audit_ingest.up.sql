-- What products publish into the log: each batch once, with what is known of who and what it tells of, in the stream of
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
