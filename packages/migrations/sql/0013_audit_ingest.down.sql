drop trigger tenant_products_remember on tenant_products;
drop function registry.remember_tenant_product();
drop table registry.tenant_products_ever;
drop table registry.audit_entities;
drop table registry.audit_dedup;
