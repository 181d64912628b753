comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of the stream and the external_id: neither is kept here.';
drop table registry.audit_expired;
