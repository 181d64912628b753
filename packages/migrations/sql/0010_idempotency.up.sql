-- What was answered to a request that carried an Idempotency-Key. It is written in the transaction of the effect.

create table registry.idempotency (
  digest bytea not null,
  fingerprint bytea not null,
  status smallint not null,
  headers jsonb not null default '{}',
  body text,
  sealed bytea,
  kid text,
  resource_id text,
  created_at timestamptz(3) not null default now(),
  constraint idempotency_pkey primary key (digest),
  constraint idempotency_digest_check check (octet_length(digest) = 32),
  constraint idempotency_fingerprint_check check (octet_length(fingerprint) = 32)
);
comment on table registry.idempotency is 'Answers for 24 hours. An answer with a secret is sealed, and the secret goes after 15 minutes.';
comment on column registry.idempotency.digest is 'HMAC of principal, method, path and key: the key itself is not kept.';
create index idempotency_created_at_idx on registry.idempotency (created_at);
