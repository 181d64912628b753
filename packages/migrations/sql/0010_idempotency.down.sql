drop table registry.idempotency;
