-- GIN keeps a list of what came in, and whoever makes it too long puts all of it into the index: a tenth of a second in
-- which a batch of events waits. So a server does it beside its batches, before the list is that long.

create function registry.flush_audit_search() returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(sum(gin_clean_pending_list(part.inhrelid::regclass)), 0)::bigint
  from pg_inherits part
  join pg_index index on index.indexrelid = part.inhrelid
  where part.inhparent = 'public.audit_log_search_idx'::regclass
    and index.indrelid = to_regclass('registry.audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM'))
$$;
comment on function registry.flush_audit_search() is 'runtime: puts into the search index of this month what it has only listed so far; answers how many pages that were.';
revoke execute on function registry.flush_audit_search() from public;
