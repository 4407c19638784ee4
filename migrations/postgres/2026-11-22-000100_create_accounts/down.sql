DROP TABLE oauth_states;
DROP TABLE email_folders;
DROP TABLE email_accounts;
