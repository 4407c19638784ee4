-- Connected mailboxes, their folders, and sign-ins at a provider that are under way.

CREATE TABLE email_accounts (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  provider TEXT NOT NULL CHECK (provider IN ('gmail', 'outlook', 'imap')),
  email_address TEXT NOT NULL,
  display_name TEXT,
  aliases JSONB NOT NULL DEFAULT '[]',

  -- OAuth, sealed
  access_token BYTEA,
  refresh_token BYTEA,
  token_expires_at TIMESTAMPTZ,

  -- IMAP and SMTP; passwords and the SMTP user are sealed
  imap_host TEXT,
  imap_port INTEGER,
  imap_security TEXT CHECK (imap_security IN ('tls', 'starttls', 'none')),
  imap_username TEXT,
  imap_password BYTEA,
  smtp_host TEXT,
  smtp_port INTEGER,
  smtp_security TEXT CHECK (smtp_security IN ('tls', 'starttls', 'none')),
  smtp_username BYTEA,
  smtp_password BYTEA,

  -- Sync state; cursors of a folder are in email_folders
  phase TEXT NOT NULL DEFAULT 'backfill' CHECK (phase IN ('backfill', 'live', 'paused')),
  last_sync_at TIMESTAMPTZ,
  next_sync_at TIMESTAMPTZ,
  sync_requested_at TIMESTAMPTZ,
  sync_token TEXT,
  history_id BIGINT,
  backfill_started_at TIMESTAMPTZ,
  backfill_finished_at TIMESTAMPTZ,
  claimed_by TEXT,
  claimed_until TIMESTAMPTZ,

  -- How the provider tells us about news
  push TEXT NOT NULL DEFAULT 'none' CHECK (push IN ('none', 'idle', 'webhook', 'pull')),
  webhook_id TEXT,
  webhook_expires_at TIMESTAMPTZ,

  -- 'error' heals by itself and is still tried; 'disconnected' waits for a person
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'error', 'disconnected')),
  error_code TEXT,
  error_message TEXT,
  last_error_at TIMESTAMPTZ,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,

  settings JSONB NOT NULL DEFAULT '{}',
  -- Set when a person removed the mailbox but kept its mail to read.
  removed_at TIMESTAMPTZ,
  -- Set when its mail is to be erased; a worker does it in small steps.
  erase_requested_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,

  UNIQUE (user_id, email_address)
);

CREATE INDEX idx_email_accounts_user_id ON email_accounts(user_id);
CREATE INDEX idx_email_accounts_organization_id ON email_accounts(organization_id, id);
CREATE INDEX idx_email_accounts_status ON email_accounts(status, next_sync_at);
CREATE INDEX idx_email_accounts_webhook_id ON email_accounts(webhook_id);

CREATE TABLE email_folders (
  id UUID NOT NULL PRIMARY KEY,
  account_id UUID NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  -- IMAP: the raw name as the server writes it.
  external_id TEXT NOT NULL,
  parent_id UUID REFERENCES email_folders(id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  role TEXT CHECK (role IN ('inbox', 'sent', 'drafts', 'trash', 'spam', 'archive', 'all', 'label')),
  selectable BOOLEAN NOT NULL DEFAULT TRUE,
  included BOOLEAN NOT NULL DEFAULT TRUE,
  provider_count BIGINT,
  uid_validity BIGINT,
  uid_next BIGINT,
  highest_modseq BIGINT,
  -- Every UID at or above it is stored.
  backfill_cursor BIGINT,
  backfill_total BIGINT NOT NULL DEFAULT 0,
  backfill_synced BIGINT NOT NULL DEFAULT 0,
  delta_link TEXT,
  error_code TEXT,
  error_message TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  deleted_at TIMESTAMPTZ,
  UNIQUE (account_id, external_id)
);

CREATE INDEX idx_email_folders_parent_id ON email_folders(parent_id);

CREATE TABLE oauth_states (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  -- Set when an existing mailbox is connected again.
  account_id UUID REFERENCES email_accounts(id) ON DELETE CASCADE,
  session_id UUID REFERENCES sessions(id) ON DELETE CASCADE,
  provider TEXT NOT NULL CHECK (provider IN ('gmail', 'outlook')),
  state_hash BYTEA NOT NULL UNIQUE,
  -- Sealed.
  pkce_verifier BYTEA NOT NULL,
  login_hint TEXT,
  return_to TEXT,
  expires_at TIMESTAMPTZ NOT NULL,
  used_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_oauth_states_organization_id ON oauth_states(organization_id);
CREATE INDEX idx_oauth_states_user_id ON oauth_states(user_id);
CREATE INDEX idx_oauth_states_account_id ON oauth_states(account_id);
CREATE INDEX idx_oauth_states_session_id ON oauth_states(session_id);
CREATE INDEX idx_oauth_states_expires_at ON oauth_states(expires_at);
