-- One namespace for the names of tenants: those in use, those of before, and those of tenants that are gone. Its primary
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
