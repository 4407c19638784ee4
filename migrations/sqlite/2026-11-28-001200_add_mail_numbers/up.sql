-- Providers without UIDs: the last running number that a mail of the mailbox was given, and when its labels were last read.
ALTER TABLE email_accounts ADD COLUMN last_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE email_accounts ADD COLUMN folders_listed_at INTEGER;
