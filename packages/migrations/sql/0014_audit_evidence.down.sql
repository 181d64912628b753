drop function registry.redact_audit_events(uuid, uuid[]);
drop table registry.audit_checkpoints_unpublished;
drop table registry.audit_checkpointed;
drop table registry.audit_checkpoint_heads;
drop table registry.audit_checkpoints;
drop table registry.audit_signing_keys;
drop domain registry.audit_signature;
