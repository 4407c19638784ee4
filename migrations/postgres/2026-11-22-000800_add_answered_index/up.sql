-- The few answered mails of a mailbox, for a comparison of flags.
CREATE INDEX idx_emails_is_answered ON emails(account_id) WHERE is_answered;
