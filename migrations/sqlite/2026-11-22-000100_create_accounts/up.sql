-- Connected mailboxes, their folders, and sign-ins at a provider that are under way.

CREATE TABLE email_accounts (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  provider TEXT NOT NULL CHECK (provider IN ('gmail', 'outlook', 'imap')),
  email_address TEXT NOT NULL,
  display_name TEXT,
  aliases TEXT NOT NULL DEFAULT '[]',

  -- OAuth, sealed
  access_token BLOB,
  refresh_token BLOB,
  token_expires_at INTEGER,

  -- IMAP and SMTP; passwords and the SMTP user are sealed
  imap_host TEXT,
  imap_port INTEGER,
  imap_security TEXT CHECK (imap_security IN ('tls', 'starttls', 'none')),
  imap_username TEXT,
  imap_password BLOB,
  smtp_host TEXT,
  smtp_port INTEGER,
  smtp_security TEXT CHECK (smtp_security IN ('tls', 'starttls', 'none')),
  smtp_username BLOB,
  smtp_password BLOB,

  -- Sync state; cursors of a folder are in email_folders
  phase TEXT NOT NULL DEFAULT 'backfill' CHECK (phase IN ('backfill', 'live', 'paused')),
  last_sync_at INTEGER,
  next_sync_at INTEGER,
  sync_requested_at INTEGER,
  sync_token TEXT,
  history_id BIGINT,
  backfill_started_at INTEGER,
  backfill_finished_at INTEGER,
  claimed_by TEXT,
  claimed_until INTEGER,

  -- How the provider tells us about news
  push TEXT NOT NULL DEFAULT 'none' CHECK (push IN ('none', 'idle', 'webhook', 'pull')),
  webhook_id TEXT,
  webhook_expires_at INTEGER,

  -- 'error' heals by itself and is still tried; 'disconnected' waits for a person
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'error', 'disconnected')),
  error_code TEXT,
  error_message TEXT,
  last_error_at INTEGER,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,

  settings TEXT NOT NULL DEFAULT '{}',
  -- Set when a person removed the mailbox but kept its mail to read.
  removed_at INTEGER,
  -- Set when its mail is to be erased; a worker does it in small steps.
  erase_requested_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,

  UNIQUE (user_id, email_address)
);

CREATE INDEX idx_email_accounts_user_id ON email_accounts(user_id);
CREATE INDEX idx_email_accounts_organization_id ON email_accounts(organization_id, id);
CREATE INDEX idx_email_accounts_status ON email_accounts(status, next_sync_at);
CREATE INDEX idx_email_accounts_webhook_id ON email_accounts(webhook_id);

CREATE TABLE email_folders (
  id BLOB NOT NULL PRIMARY KEY,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  -- IMAP: the raw name as the server writes it.
  external_id TEXT NOT NULL,
  parent_id BLOB REFERENCES email_folders(id) ON DELETE SET NULL,
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
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  UNIQUE (account_id, external_id)
);

CREATE INDEX idx_email_folders_parent_id ON email_folders(parent_id);

CREATE TABLE oauth_states (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  -- Set when an existing mailbox is connected again.
  account_id BLOB REFERENCES email_accounts(id) ON DELETE CASCADE,
  session_id BLOB REFERENCES sessions(id) ON DELETE CASCADE,
  provider TEXT NOT NULL CHECK (provider IN ('gmail', 'outlook')),
  state_hash BLOB NOT NULL UNIQUE,
  -- Sealed.
  pkce_verifier BLOB NOT NULL,
  login_hint TEXT,
  return_to TEXT,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_oauth_states_organization_id ON oauth_states(organization_id);
CREATE INDEX idx_oauth_states_user_id ON oauth_states(user_id);
CREATE INDEX idx_oauth_states_account_id ON oauth_states(account_id);
CREATE INDEX idx_oauth_states_session_id ON oauth_states(session_id);
CREATE INDEX idx_oauth_states_expires_at ON oauth_states(expires_at);
