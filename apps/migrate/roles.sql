-- The database and its two roles: what an administrator makes once, before the first migration. May be run again.
--
--   psql --set=ON_ERROR_STOP=1 --set=owner_password=… --set=runtime_password=… --file=roles.sql postgres
--
-- The owner makes the schema and changes it; the server runs as the other, to which the migrator grants what it needs.
-- Neither is a superuser, and neither may make databases or roles.

select 'create role tenant_registry_owner login'
where not exists (select from pg_roles where rolname = 'tenant_registry_owner') \gexec
alter role tenant_registry_owner nosuperuser nocreatedb nocreaterole password :'owner_password';

select 'create role tenant_registry_runtime login'
where not exists (select from pg_roles where rolname = 'tenant_registry_runtime') \gexec
alter role tenant_registry_runtime nosuperuser nocreatedb nocreaterole password :'runtime_password';

select 'create database tenant_registry owner tenant_registry_owner'
where not exists (select from pg_database where datname = 'tenant_registry') \gexec

-- Nobody else has any business here, and the owner of the database may make schemas in it by that alone.
revoke all on database tenant_registry from public;
grant connect on database tenant_registry to tenant_registry_runtime;
