DROP TABLE uploads;
ALTER TABLE email_accounts DROP COLUMN smtp_max_size;
ALTER TABLE email_accounts DROP COLUMN mail_not_before;
ALTER TABLE email_accounts DROP COLUMN mailed_until;
ALTER TABLE email_accounts DROP COLUMN mailed_by;
ALTER TABLE email_recipients DROP COLUMN smtp_reply;
ALTER TABLE email_recipients DROP COLUMN smtp_code;
ALTER TABLE email_recipients DROP COLUMN delivery;
DROP TABLE email_outgoing;
