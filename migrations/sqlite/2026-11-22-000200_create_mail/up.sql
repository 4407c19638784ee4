-- Mails, where they lie, their threads, and the journal of changes to carry to the provider.

CREATE TABLE threads (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  subject TEXT,
  normalized_subject TEXT,
  first_message_at INTEGER NOT NULL,
  last_message_at INTEGER NOT NULL,
  message_count BIGINT NOT NULL DEFAULT 0,
  snippet TEXT,
  participants TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_threads_organization_id ON threads(organization_id, last_message_at DESC, id DESC);

-- One row for each mailbox that holds a part of the thread.
CREATE TABLE thread_accounts (
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  thread_id BLOB NOT NULL REFERENCES threads(id) ON DELETE CASCADE,
  last_message_at INTEGER NOT NULL,
  message_count BIGINT NOT NULL DEFAULT 0,
  unread_count BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, thread_id)
);

CREATE INDEX idx_thread_accounts_latest ON thread_accounts(account_id, last_message_at DESC, thread_id DESC);
CREATE INDEX idx_thread_accounts_thread_id ON thread_accounts(thread_id);

-- Every Message-ID that a mail has or refers to, so that a late parent finds its thread.
CREATE TABLE thread_message_ids (
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  message_id TEXT NOT NULL,
  thread_id BLOB NOT NULL REFERENCES threads(id) ON DELETE CASCADE,
  PRIMARY KEY (organization_id, message_id)
);

CREATE INDEX idx_thread_message_ids_thread_id ON thread_message_ids(thread_id);

CREATE TABLE emails (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  user_id BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,

  -- The provider's id; IMAP: EMAILID where the server has it, else a hash of header block and size
  external_id TEXT NOT NULL,
  thread_id BLOB REFERENCES threads(id) ON DELETE SET NULL,
  provider_thread_id TEXT,
  message_id TEXT,
  in_reply_to TEXT,
  "references" TEXT NOT NULL DEFAULT '[]',

  from_email TEXT NOT NULL,
  from_name TEXT,
  subject TEXT,
  snippet TEXT,

  direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
  status TEXT NOT NULL DEFAULT 'delivered' CHECK (status IN
    ('draft', 'scheduled', 'queued', 'sending', 'uncertain', 'sent', 'delivered', 'failed', 'cancelled')),
  error_message TEXT,
  kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'auto_reply', 'bounce', 'list', 'calendar')),

  -- sent_at is the Date header, for display; received_at is the provider's and sorts
  sent_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  scheduled_at INTEGER,
  replied_at INTEGER,
  bounced_at INTEGER,

  -- Counted from people and unknown readers; machines beside
  opened BOOLEAN NOT NULL DEFAULT FALSE,
  opened_at INTEGER,
  open_count INTEGER NOT NULL DEFAULT 0,
  machine_open_count INTEGER NOT NULL DEFAULT 0,
  click_count INTEGER NOT NULL DEFAULT 0,

  is_read BOOLEAN NOT NULL DEFAULT FALSE,
  is_starred BOOLEAN NOT NULL DEFAULT FALSE,
  is_archived BOOLEAN NOT NULL DEFAULT FALSE,
  is_draft BOOLEAN NOT NULL DEFAULT FALSE,
  is_trashed BOOLEAN NOT NULL DEFAULT FALSE,
  is_spam BOOLEAN NOT NULL DEFAULT FALSE,
  is_answered BOOLEAN NOT NULL DEFAULT FALSE,
  has_attachments BOOLEAN NOT NULL DEFAULT FALSE,
  attachment_count INTEGER NOT NULL DEFAULT 0,

  headers TEXT NOT NULL DEFAULT '{}',
  raw_ref TEXT,
  raw_size BIGINT,
  defects TEXT NOT NULL DEFAULT '[]',

  claimed_by TEXT,
  claimed_until INTEGER,
  indexed_at INTEGER,
  linked_at INTEGER,
  deleted_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  synced_at INTEGER NOT NULL,

  -- Large values last: a row's other columns are read without walking them
  body_visible_text TEXT,
  body_text TEXT,
  body_html TEXT,

  UNIQUE (account_id, external_id)
);

CREATE INDEX idx_emails_account_id ON emails(account_id, received_at DESC, id DESC);
CREATE INDEX idx_emails_user_id ON emails(user_id, received_at DESC, id DESC);
CREATE INDEX idx_emails_organization_id ON emails(organization_id);
-- Both equalities first: a thread's list must never be read through the index of a whole mailbox.
CREATE INDEX idx_emails_thread_id ON emails(thread_id, user_id, received_at DESC, id DESC);
CREATE INDEX idx_emails_message_id ON emails(account_id, message_id);
CREATE INDEX idx_emails_is_read ON emails(account_id, received_at DESC, id DESC) WHERE is_read = FALSE;
CREATE INDEX idx_emails_is_starred ON emails(account_id, received_at DESC, id DESC) WHERE is_starred = TRUE;
CREATE INDEX idx_emails_from_email ON emails(account_id, lower(from_email), received_at DESC, id DESC);
CREATE INDEX idx_emails_to_index ON emails(account_id) WHERE indexed_at IS NULL;
CREATE INDEX idx_emails_to_link ON emails(account_id) WHERE linked_at IS NULL;
CREATE INDEX idx_emails_to_send ON emails(scheduled_at) WHERE status IN ('scheduled', 'queued', 'sending');

-- Where a mail lies: several labels, one folder, or copies in any number of folders.
CREATE TABLE email_locations (
  id BLOB NOT NULL PRIMARY KEY,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  folder_id BLOB NOT NULL REFERENCES email_folders(id) ON DELETE CASCADE,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  uid BIGINT,
  uid_validity BIGINT,
  mod_seq BIGINT,
  is_read BOOLEAN NOT NULL DEFAULT FALSE,
  is_starred BOOLEAN NOT NULL DEFAULT FALSE,
  received_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (folder_id, uid_validity, uid)
);

CREATE INDEX idx_email_locations_folder_id ON email_locations(folder_id, received_at DESC, email_id DESC);
CREATE INDEX idx_email_locations_unread ON email_locations(folder_id) WHERE is_read = FALSE;
CREATE INDEX idx_email_locations_email_id ON email_locations(email_id, folder_id);
CREATE INDEX idx_email_locations_account_id ON email_locations(account_id);

CREATE TABLE email_recipients (
  id BLOB NOT NULL PRIMARY KEY,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  recipient_type TEXT NOT NULL CHECK (recipient_type IN ('to', 'cc', 'bcc', 'reply_to')),
  position INTEGER NOT NULL DEFAULT 0,
  email_address TEXT NOT NULL,
  email_normalized TEXT NOT NULL,
  name TEXT,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_email_recipients_email_id ON email_recipients(email_id);
CREATE INDEX idx_email_recipients_email_address ON email_recipients(email_normalized, email_id);

CREATE TABLE email_attachments (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  file_name TEXT NOT NULL,
  mime_type TEXT,
  size_bytes BIGINT,
  -- sha256/<digest> within the organization.
  storage_path TEXT NOT NULL,
  sha256 BLOB,
  content_id TEXT,
  is_inline BOOLEAN NOT NULL DEFAULT FALSE,
  part_id TEXT,
  external_id TEXT,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_email_attachments_email_id ON email_attachments(email_id);
CREATE INDEX idx_email_attachments_storage_path ON email_attachments(organization_id, storage_path);

-- Mails that were not stored, each with its reason and never with its body.
CREATE TABLE skipped_messages (
  id BLOB NOT NULL PRIMARY KEY,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  folder_id BLOB REFERENCES email_folders(id) ON DELETE CASCADE,
  external_id TEXT,
  message_id TEXT,
  uid BIGINT,
  uid_validity BIGINT,
  reason TEXT NOT NULL,
  detail TEXT,
  size BIGINT,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (folder_id, uid_validity, uid)
);

CREATE INDEX idx_skipped_messages_reason ON skipped_messages(account_id, reason);
CREATE INDEX idx_skipped_messages_message_id ON skipped_messages(account_id, message_id);

-- The journal: one row for each change a person asked for, whatever the number of mails.
CREATE TABLE mailbox_operations (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  created_by BLOB REFERENCES users(id) ON DELETE SET NULL,
  kind TEXT NOT NULL,
  changes TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'failed', 'undone', 'superseded')),
  error_code TEXT,
  error_message TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  confirmed_at INTEGER
);

CREATE INDEX idx_mailbox_operations_organization_id ON mailbox_operations(organization_id, id);
CREATE INDEX idx_mailbox_operations_created_by ON mailbox_operations(created_by);

-- The part of an operation that concerns one mail, with its former state for an undo.
CREATE TABLE mailbox_operation_items (
  operation_id BLOB NOT NULL REFERENCES mailbox_operations(id) ON DELETE CASCADE,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  before TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'failed', 'undone', 'superseded')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  claimed_by TEXT,
  claimed_until INTEGER,
  error_code TEXT,
  error_message TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (operation_id, email_id)
);

CREATE INDEX idx_mailbox_operation_items_email_id ON mailbox_operation_items(email_id);
CREATE INDEX idx_mailbox_operation_items_account_id ON mailbox_operation_items(account_id);
CREATE INDEX idx_mailbox_operation_items_pending ON mailbox_operation_items(account_id, next_attempt_at) WHERE state = 'pending';

-- Proofs that a mailbox is stored completely, folder by folder.
CREATE TABLE completeness_runs (
  id BLOB NOT NULL PRIMARY KEY,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  folder_id BLOB NOT NULL REFERENCES email_folders(id) ON DELETE CASCADE,
  provider_count BIGINT NOT NULL,
  stored_count BIGINT NOT NULL,
  skipped_count BIGINT NOT NULL,
  missing_count BIGINT NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_completeness_runs_account_id ON completeness_runs(account_id);
CREATE INDEX idx_completeness_runs_folder_id ON completeness_runs(folder_id, created_at DESC);
