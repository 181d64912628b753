-- The end of a tenant: when it may be purged, that it was asked for, and what forbids it.

alter table tenants
  add column purge_after timestamptz(3),
  add column purge_requested_at timestamptz(3),
  add column purge_requested_by text;
create index tenants_purge_requested_at_idx on tenants (purge_requested_at) where purge_requested_at is not null;

-- By stream and not by tenant: a hold also keeps the events of a tenant that is gone, and those that never had one.
create table registry.legal_holds (
  stream_id uuid not null,
  reason text not null,
  by text not null,
  at timestamptz(3) not null default now(),
  constraint legal_holds_pkey primary key (stream_id)
);
comment on table registry.legal_holds is 'Streams of the audit log that nothing may shorten; the tenants of such streams are not purged.';

-- The runtime role cannot change the log. This is the one thing that a purge has to do there: let go of the foreign key,
-- a part of the rows at a time, since a large tenant's in one statement would hold its locks for seconds. The events
-- stay, and so does their chain, which does not cover tenant_id.
-- Planned anew each time: a plan that was made for a log of a few rows takes half a minute for twelve thousand.
create function registry.release_tenant_events(tenant uuid, rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  released integer;
begin
  if not exists (select from public.tenants t where t.id = tenant and t.purge_requested_at is not null) then
    raise exception 'nobody asked for the purge of %', tenant using errcode = 'object_not_in_prerequisite_state';
  end if;
  if exists (select from registry.legal_holds h where h.stream_id = tenant) then
    raise exception '% is under a legal hold', tenant using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Whoever writes a stream's rows writes its head: a distributed engine commits by what it saw being written.
  update registry.audit_streams set last_seq = last_seq where stream_id = tenant;
  update public.audit_log a set tenant_id = null
  from (
    select l.id, l.received_at from public.audit_log l
    where l.tenant_id = tenant and l.stream_id = tenant
    limit least(rows_max, 5000)
  ) batch
  where a.id = batch.id and a.stream_id = tenant and a.received_at = batch.received_at;
  get diagnostics released = row_count;
  return released;
end
$$;
comment on function registry.release_tenant_events(uuid, integer) is 'runtime: nulls tenant_id of at most rows_max events of a tenant that is being purged; answers how many.';
revoke execute on function registry.release_tenant_events(uuid, integer) from public;
