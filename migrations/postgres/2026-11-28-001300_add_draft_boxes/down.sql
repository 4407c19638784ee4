ALTER TABLE email_accounts DROP COLUMN senders;
DROP INDEX idx_email_outgoing_written_message_id;
ALTER TABLE email_outgoing DROP COLUMN written_message_id;
ALTER TABLE email_outgoing DROP COLUMN draft_pin;
ALTER TABLE email_outgoing DROP COLUMN draft_message_id;
ALTER TABLE email_outgoing DROP COLUMN draft_id;
