-- What a draft or a mail on its way out needs beside its row in emails.

CREATE TABLE email_outgoing (
  email_id BLOB NOT NULL PRIMARY KEY REFERENCES emails(id) ON DELETE CASCADE,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  -- Counts the versions of a draft: its ETag.
  revision BIGINT NOT NULL DEFAULT 1,
  -- The mail that it answers or forwards.
  action TEXT CHECK (action IN ('reply', 'forward')),
  source_email_id BLOB REFERENCES emails(id) ON DELETE SET NULL,
  headers TEXT NOT NULL DEFAULT '[]',
  options TEXT NOT NULL DEFAULT '{}',
  -- The Idempotency-Key that it was made with: the same key never makes a second mail, even after a crash.
  client_key TEXT,

  -- When the sender looks at it: end of the undo window, schedule, next try.
  due_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  error_code TEXT,
  -- Written before the last octet leaves: from here on the mail may be with its recipients.
  handed_at INTEGER,

  -- When its copy among the sent mails is to be looked for, or made.
  file_due_at INTEGER,
  file_attempts INTEGER NOT NULL DEFAULT 0,

  -- When the provider's copy of a draft is to be brought in step, and which version that copy is.
  mirror_due_at INTEGER,
  mirror_attempts INTEGER NOT NULL DEFAULT 0,
  mirrored_revision BIGINT,

  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (account_id, client_key)
);

CREATE INDEX idx_email_outgoing_source_email_id ON email_outgoing(source_email_id);
CREATE INDEX idx_email_outgoing_due ON email_outgoing(account_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX idx_email_outgoing_file_due ON email_outgoing(account_id, file_due_at) WHERE file_due_at IS NOT NULL;
CREATE INDEX idx_email_outgoing_mirror_due ON email_outgoing(account_id, mirror_due_at) WHERE mirror_due_at IS NOT NULL;

-- What became of the mail for each recipient, with the server's words.
ALTER TABLE email_recipients ADD COLUMN delivery TEXT CHECK (delivery IN
  ('deferred', 'handed', 'accepted', 'refused', 'delayed', 'bounced'));
ALTER TABLE email_recipients ADD COLUMN smtp_code INTEGER;
ALTER TABLE email_recipients ADD COLUMN smtp_reply TEXT;

-- Who sends the mail of a mailbox, from when on its server wants more, and the largest mail that it takes in octets.
ALTER TABLE email_accounts ADD COLUMN mailed_by TEXT;
ALTER TABLE email_accounts ADD COLUMN mailed_until INTEGER;
ALTER TABLE email_accounts ADD COLUMN mail_not_before INTEGER;
ALTER TABLE email_accounts ADD COLUMN smtp_max_size BIGINT;

-- Files that were brought in and belong to no mail yet.
CREATE TABLE uploads (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  file_name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  storage_path TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_uploads_organization_id ON uploads(organization_id, storage_path);
CREATE INDEX idx_uploads_user_id ON uploads(user_id);
CREATE INDEX idx_uploads_created_at ON uploads(created_at);
