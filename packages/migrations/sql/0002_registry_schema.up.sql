-- Two things that are dear to change once there are many rows: where our own tables live, and how exact a time is.
-- Milliseconds, because JavaScript knows no smaller unit: a time that was read can be compared and written back,
-- and (created_at, id) is a total order that a cursor can name.

create schema registry;
comment on schema registry is 'Every table that is not one of the six, and the functions made for the runtime role.';

alter table tenants
  alter column trial_ends_at type timestamptz(3),
  alter column contract_starts_at type timestamptz(3),
  alter column contract_ends_at type timestamptz(3),
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_projects
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_products
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table tenant_idp_config
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table api_keys
  alter column revoked_at type timestamptz(3),
  alter column created_at type timestamptz(3),
  alter column updated_at type timestamptz(3);
alter table audit_log
  alter column created_at type timestamptz(3),
  alter column received_at type timestamptz(3);

-- The slug is a DNS label that a person can read: no double dash (it would collide with punycode and with joined
-- names), at least one letter (an all-digit label reads as a number), and never the shape of an id.
do $$
declare
  unfit text;
begin
  select string_agg(format('%s (%s)', slug, id), ', ' order by slug) into unfit
  from (
    select slug, id from tenants
    where slug !~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$' or slug ~ '--' or slug !~ '[a-z]'
      or slug ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    order by slug
    limit 20
  ) t;
  if unfit is not null then
    raise exception 'tenants with a slug that the new rule refuses: %', unfit
      using errcode = 'check_violation',
        hint = 'Rename these tenants, then run the migration again. A slug has no double dash, at least one letter, and not the shape of a UUID.';
  end if;
end
$$;

-- The old rule goes, under whatever name an adopted database has it.
do $$
declare
  rule record;
begin
  for rule in
    select conname from pg_constraint
    where conrelid = 'tenants'::regclass and contype = 'c'
      and conkey = array[(select attnum from pg_attribute where attrelid = 'tenants'::regclass and attname = 'slug')]
  loop
    execute format('alter table tenants drop constraint %I', rule.conname);
  end loop;
end
$$;
alter table tenants add constraint tenants_slug_check check (
  slug ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$'
  and slug !~ '--'
  and slug ~ '[a-z]'
  and slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
);

-- Pages of tenants follow (created_at, id), newest first.
create index tenants_created_at_id_idx on tenants (created_at desc, id desc);
