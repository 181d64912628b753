-- How far the redaction of what is over has come in each stream, so that no run looks at what the ones before it did.

create table registry.audit_expired (
  stream_id uuid not null,
  product text not null,
  stream_seq bigint not null,
  constraint audit_expired_pkey primary key (stream_id, product)
);
comment on table registry.audit_expired is 'Up to which place of a stream the events of a product that were over are redacted: the next run goes on behind it.';

comment on column registry.audit_dedup.digest is 'SHA-256 of the publisher and its key, or of product, environment, stream and external_id: none of them is kept here.';
