-- How news of a mailbox reach us whose provider is asked over HTTP: when it last rang, and when it must be told again to do so.

CREATE TABLE email_doorbells (
  account_id UUID NOT NULL PRIMARY KEY REFERENCES email_accounts(id) ON DELETE CASCADE,
  -- When something last happened in the mailbox, or a person last used it.
  active_at TIMESTAMPTZ,
  -- When the provider last told of news.
  rung_at TIMESTAMPTZ,
  -- When there last were news of which it did not tell, or it was asked to show that it does.
  missed_at TIMESTAMPTZ,
  -- When notifications are ordered or renewed; claimed by moving it on.
  due_at TIMESTAMPTZ,
  failures INTEGER NOT NULL DEFAULT 0,
  -- Why they could not be ordered.
  error_code TEXT,
  error_message TEXT,
  -- The digest of what must stand in each notification (Microsoft's clientState).
  secret_hash BYTEA
);

CREATE INDEX idx_email_doorbells_due_at ON email_doorbells(due_at);
CREATE INDEX idx_email_accounts_email_address ON email_accounts(lower(email_address));
