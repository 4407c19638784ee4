-- The few answered mails of a mailbox, read once for a comparison of flags.
CREATE INDEX idx_emails_is_answered ON emails(account_id) WHERE is_answered = TRUE;
