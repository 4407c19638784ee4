-- Who may do what: organizations, their people, how they sign in, and what they did.
-- Ids are UUIDv7 and times UTC microseconds, both always given by the code.

-- Values that belong to the installation itself (set-up token, key check values).
CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value JSONB NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE organizations (
  id UUID NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  email TEXT NOT NULL,
  -- Lower case; a person signs in with the address alone, so it is unique everywhere.
  email_normalized TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  -- Argon2id in PHC notation; null until the person has chosen one.
  password_hash TEXT,
  password_changed_at TIMESTAMPTZ,
  -- The CRM's own id of this person.
  external_id TEXT,
  last_sign_in_at TIMESTAMPTZ,
  disabled_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  UNIQUE (organization_id, external_id)
);

CREATE INDEX idx_users_organization_id ON users(organization_id, id);

CREATE TABLE sessions (
  id UUID NOT NULL PRIMARY KEY,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  -- SHA-256 of the cookie's value.
  token_hash BYTEA NOT NULL UNIQUE,
  csrf_token TEXT NOT NULL,
  ip_address TEXT,
  user_agent TEXT,
  last_seen_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_sessions_user_id ON sessions(user_id);
CREATE INDEX idx_sessions_expires_at ON sessions(expires_at);

CREATE TABLE api_keys (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  -- The first characters, so that a person recognises the key in a list.
  prefix TEXT NOT NULL,
  key_hash BYTEA NOT NULL UNIQUE,
  -- Null: all the user's rights.
  scopes JSONB,
  expires_at TIMESTAMPTZ,
  last_used_at TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_api_keys_organization_id ON api_keys(organization_id, id);
CREATE INDEX idx_api_keys_user_id ON api_keys(user_id);

CREATE TABLE invitations (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  email TEXT NOT NULL,
  email_normalized TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  token_hash BYTEA NOT NULL UNIQUE,
  created_by UUID REFERENCES users(id) ON DELETE SET NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  used_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_invitations_organization_id ON invitations(organization_id, id);
CREATE INDEX idx_invitations_created_by ON invitations(created_by);

CREATE TABLE password_resets (
  id UUID NOT NULL PRIMARY KEY,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  token_hash BYTEA NOT NULL UNIQUE,
  created_by UUID REFERENCES users(id) ON DELETE SET NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  used_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_password_resets_user_id ON password_resets(user_id);
CREATE INDEX idx_password_resets_created_by ON password_resets(created_by);

-- Each entry's hash covers the one before it. Actors are no foreign keys: the log outlives them.
CREATE TABLE audit_log (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'system')),
  actor_user_id UUID,
  actor_key_id UUID,
  action TEXT NOT NULL,
  object_type TEXT NOT NULL,
  object_id TEXT,
  detail JSONB NOT NULL,
  ip_address TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  prev_hash BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  UNIQUE (organization_id, seq)
);

CREATE INDEX idx_audit_log_actor ON audit_log(organization_id, actor_user_id, seq);
CREATE INDEX idx_audit_log_object ON audit_log(organization_id, object_type, object_id, seq);
CREATE INDEX idx_audit_log_action ON audit_log(organization_id, action, seq);

CREATE TABLE idempotency_keys (
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  -- SHA-256 of the body: the same key with another body is a conflict.
  request_hash BYTEA NOT NULL,
  -- Null while the first request is still running.
  status INTEGER,
  headers JSONB,
  response BYTEA,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, key)
);

CREATE INDEX idx_idempotency_keys_expires_at ON idempotency_keys(expires_at);
