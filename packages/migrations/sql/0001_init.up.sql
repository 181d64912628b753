-- The schema of the Go service: six tables, four enums, and the triggers that keep updated_at.

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
