ALTER TABLE oauth_states DROP COLUMN error_message;
ALTER TABLE oauth_states DROP COLUMN error_code;
ALTER TABLE oauth_states DROP COLUMN is_done;
ALTER TABLE oauth_states DROP COLUMN scopes;
DROP TABLE oauth_grants;
DROP INDEX idx_email_accounts_shared_via;
ALTER TABLE email_accounts DROP COLUMN shared_via;
ALTER TABLE email_accounts DROP COLUMN credentials;
