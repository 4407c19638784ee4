-- What mailboxes of Google and Microsoft are opened with, and how a sign-in there ended.

-- own: the owner's password or consent. service: an administrator let this server in. shared: through another mailbox.
ALTER TABLE email_accounts ADD COLUMN credentials TEXT NOT NULL DEFAULT 'own';
-- The mailbox whose owner may use this shared one. No foreign key: what it names may be gone, and then a person is asked.
ALTER TABLE email_accounts ADD COLUMN shared_via UUID;

CREATE INDEX idx_email_accounts_shared_via ON email_accounts(shared_via);

-- What a person allowed; the tokens themselves are in email_accounts.
CREATE TABLE oauth_grants (
  account_id UUID NOT NULL PRIMARY KEY REFERENCES email_accounts(id) ON DELETE CASCADE,
  -- A new one each time a person consents: what belongs to the one before is worth nothing then.
  id UUID NOT NULL,
  scopes TEXT NOT NULL,
  granted_at TIMESTAMPTZ NOT NULL,
  -- When the provider said that it ends.
  ends_at TIMESTAMPTZ,
  -- Who makes a new access token, so that it is done once in all copies of the process together.
  refreshed_by TEXT,
  refreshed_until TIMESTAMPTZ
);

ALTER TABLE oauth_states ADD COLUMN scopes TEXT;
-- Whether a mailbox was connected by it.
ALTER TABLE oauth_states ADD COLUMN is_done BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE oauth_states ADD COLUMN error_code TEXT;
ALTER TABLE oauth_states ADD COLUMN error_message TEXT;
