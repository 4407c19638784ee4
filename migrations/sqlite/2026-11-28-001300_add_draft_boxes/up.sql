-- Providers that send by way of a draft (Gmail): the draft, the version in it that waits to be sent, and the place in the
-- mailbox's history before it was made, from where it is looked for.
ALTER TABLE email_outgoing ADD COLUMN draft_id TEXT;
ALTER TABLE email_outgoing ADD COLUMN draft_message_id TEXT;
ALTER TABLE email_outgoing ADD COLUMN draft_pin BIGINT;

-- The Message-ID that a mail was written with, where its provider gave it another.
ALTER TABLE email_outgoing ADD COLUMN written_message_id TEXT;
CREATE INDEX idx_email_outgoing_written_message_id ON email_outgoing(written_message_id) WHERE written_message_id IS NOT NULL;

-- The addresses that mail may be sent from, with their names and signatures, as the provider tells them.
ALTER TABLE email_accounts ADD COLUMN senders TEXT NOT NULL DEFAULT '[]';
