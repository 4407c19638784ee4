DROP INDEX idx_emails_is_answered;
