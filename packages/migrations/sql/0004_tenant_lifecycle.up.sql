-- The life of a tenant: why it is in its state and since when, and a trigger that holds the table of legal transitions,
-- whoever writes. core/src/tenants/lifecycle.ts holds the same table and explains it.

alter table tenants
  add column status_reason text,
  add column status_note text,
  add column status_changed_at timestamptz(3) not null default now(),
  add column status_changed_by text,
  add column frozen_from tenant_status,
  add column keys_valid_after timestamptz(3),
  add column archived_at timestamptz(3),
  add column deletion_protection boolean not null default false,
  add column metadata jsonb not null default '{}',
  add column version integer not null default 1,
  add constraint tenants_frozen_from_check check (frozen_from in ('demo', 'trial', 'active')),
  add constraint tenants_metadata_check check (jsonb_typeof(metadata) = 'object');
comment on column tenants.frozen_from is 'What the tenant was frozen or archived out of; null while it is neither.';
comment on column tenants.keys_valid_after is 'API keys that were not issued after this are dead for good.';

-- What is known of the tenants that are here already: nothing of them changes.
alter table tenants disable trigger user;
update tenants set status_changed_at = updated_at;
alter table tenants enable trigger user;

-- A row that is written has another version, so that a reader can tell whether it is still what it read.
create function registry.keep_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
create trigger tenants_keep_version before update on tenants
  for each row execute function registry.keep_version();

create function registry.keep_tenant_lifecycle() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
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
$$;
create trigger tenants_keep_lifecycle before insert or update on tenants
  for each row execute function registry.keep_tenant_lifecycle();

-- What the sweeper looks for.
create index tenants_trial_ends_at_idx on tenants (trial_ends_at) where status = 'trial' and trial_ends_at is not null;
