-- Back to one plain table. Streams, places in them, hashes and chains are lost; every event stays.

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
