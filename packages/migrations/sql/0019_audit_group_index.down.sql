create index audit_log_group_time_idx on only audit_log (product, environment, group_id, canonical_at desc, id desc) include (crud);
-- By itself PostgreSQL would name those of the partitions otherwise, and longer.
do $$
declare
  part record;
begin
  for part in
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.audit_log'::regclass order by c.relname
  loop
    execute format(
      'create index %I on registry.%I (product, environment, group_id, canonical_at desc, id desc) include (crud)',
      part.name || '_group_time_idx', part.name
    );
    execute format('alter index audit_log_group_time_idx attach partition registry.%I', part.name || '_group_time_idx');
  end loop;
end
$$;
