DROP INDEX idx_email_accounts_email_address;
DROP TABLE email_doorbells;
