-- What shows that the log was not changed by somebody who can write the database: signed checkpoints of the heads of its
-- streams; and how an event loses what it says of persons without breaking its chain.

create domain registry.audit_signature as bytea constraint audit_signature_check check (octet_length(value) = 64);

create table registry.audit_signing_keys (
  key_id text not null,
  public_key text not null,
  first_used_at timestamptz(3) not null default now(),
  constraint audit_signing_keys_pkey primary key (key_id)
);
comment on table registry.audit_signing_keys is 'The public keys that checkpoints were signed with, also those of former times.';
comment on column registry.audit_signing_keys.public_key is 'Ed25519, as PEM.';

create table registry.audit_checkpoints (
  number bigint not null,
  taken_at timestamptz(3) not null,
  head_count integer not null,
  root registry.audit_sha256 not null,
  previous_root registry.audit_sha256 not null,
  key_id text not null,
  signature registry.audit_signature not null,
  constraint audit_checkpoints_pkey primary key (number),
  constraint audit_checkpoints_key_id_fkey foreign key (key_id) references registry.audit_signing_keys (key_id)
);
comment on table registry.audit_checkpoints is 'The heads of all streams that had changed, as one signed Merkle root; each names the root before it. Append-only.';

create table registry.audit_checkpoint_heads (
  stream_id uuid not null,
  stream_seq bigint not null,
  chain_hash registry.audit_sha256 not null,
  number bigint not null,
  constraint audit_checkpoint_heads_pkey primary key (stream_id, stream_seq, number),
  constraint audit_checkpoint_heads_number_fkey foreign key (number) references registry.audit_checkpoints (number)
);
comment on table registry.audit_checkpoint_heads is 'The leaves of every checkpoint''s tree, which are in the order of their streams. Append-only.';
create index audit_checkpoint_heads_number_idx on registry.audit_checkpoint_heads (number, stream_id);
alter table registry.audit_checkpoints alter column root set storage plain, alter column signature set storage plain;
alter table registry.audit_checkpoint_heads alter column chain_hash set storage plain;

-- Beside the heads and not in them: whoever takes a checkpoint waits for no writer of the log, and none for him.
create table registry.audit_checkpointed (
  stream_id uuid not null,
  stream_seq bigint not null,
  constraint audit_checkpointed_pkey primary key (stream_id)
);
comment on table registry.audit_checkpointed is 'Up to where every stream is in some checkpoint: what is beyond goes into the next one.';

create table registry.audit_checkpoints_unpublished (
  number bigint not null,
  constraint audit_checkpoints_unpublished_pkey primary key (number),
  constraint audit_checkpoints_unpublished_number_fkey foreign key (number) references registry.audit_checkpoints (number)
);
comment on table registry.audit_checkpoints_unpublished is 'Checkpoints that have not been written to the log stream yet: a process may end between the two.';

-- Erases what events say of persons: the personal block, the salt without which its digest tells nothing, and what they
-- are found by. The digest stays, so the chain still verifies. For the owner of the log alone: no comment that begins
-- with the word by which the runtime role is granted a function. Who calls it records it in the same transaction.
create function registry.redact_audit_events(stream uuid, ids uuid[]) returns integer
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  redacted integer;
begin
  -- Before the head, as everybody who writes a tenant's log; and nobody puts a hold on it meanwhile.
  perform from public.tenants t where t.id = stream for share;
  if exists (select from registry.legal_holds h where h.stream_id = stream) then
    raise exception '% is under a legal hold', stream using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Whoever writes a stream's rows writes its head: a distributed engine commits by what it saw being written.
  update registry.audit_streams set last_seq = last_seq where stream_id = stream;
  update public.audit_log set
    actor_id = null, actor_name = null, actor_href = null, actor_fields = null,
    target_id = null, target_name = null, target_href = null, target_fields = null,
    group_name = null, source_ip = null, description = null, external_id = null,
    fields = null, metadata = null, hash = null,
    row_salt = null, search = null
  where id = any (ids) and stream_id = stream and row_salt is not null
    -- What tells of redactions stays: an erased row that no event speaks of was erased by somebody else.
    and not (product = 'tenant-registry' and action = 'audit_event.redacted');
  get diagnostics redacted = row_count;
  return redacted;
end
$$;
comment on function registry.redact_audit_events(uuid, uuid[]) is 'owner: erases what these events of one stream say of persons; answers how many had something left. Refuses a stream under a legal hold.';
revoke execute on function registry.redact_audit_events(uuid, uuid[]) from public;
