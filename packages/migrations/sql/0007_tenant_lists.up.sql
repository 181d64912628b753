-- What lists of tenants are sorted and searched by. Sorting goes by bytes: the same everywhere, and a prefix is a range.

-- The words of a name, whatever stands between them: PostgreSQL's own parser would take a.b for a host.
create function registry.name_words(name text) returns tsvector
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
  select to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'))
$$;
comment on function registry.name_words(text) is 'runtime: the words of a name, in lower case.';

-- The words of a question: all of them, the last one only by its beginning.
create function registry.name_query(question text) returns tsquery
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
  select case when numnode(words) = 0 then words else (words::text || ':*')::tsquery end
  from plainto_tsquery('pg_catalog.simple', regexp_replace(question, '[^[:alnum:]]+', ' ', 'g')) as words
$$;
comment on function registry.name_query(text) is 'runtime: what names have to have to answer a question: every word, the last one by its beginning.';

-- A column and not an index of the function alone: who reads along a sort would take every name apart on the way. It
-- comes before the indexes, since it writes the table anew.
alter table tenants
  add column name_words tsvector not null generated always as (registry.name_words(name)) stored;
comment on column tenants.name_words is 'What a search of names looks in; nobody reads it.';

create index tenants_status_idx on tenants (status, created_at desc, id desc);
create index tenants_plan_idx on tenants (plan, created_at desc, id desc);
create index tenants_demo_idx on tenants (created_at desc, id desc) where kind = 'demo';
create index tenants_sales_owner_idx on tenants (sales_owner, created_at desc, id desc) where sales_owner is not null;
create index tenants_name_idx on tenants ((lower(name) collate "C"), id);
create index tenants_slug_idx on tenants ((slug collate "C"), id);
-- Beside tenants_trial_ends_at_idx, which has the trials that still run.
create index tenants_ended_trials_idx on tenants (trial_ends_at)
  where status = 'frozen' and frozen_from = 'trial' and status_reason = 'trial_expired';
-- Without the list of what is still to be sorted in, which every search would have to read through as well.
create index tenants_name_words_idx on tenants using gin (name_words) with (fastupdate = off);
