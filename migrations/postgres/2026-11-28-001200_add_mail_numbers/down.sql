ALTER TABLE email_accounts DROP COLUMN folders_listed_at;
ALTER TABLE email_accounts DROP COLUMN last_number;
