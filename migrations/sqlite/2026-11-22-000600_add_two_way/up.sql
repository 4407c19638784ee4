-- Changes that travel both ways: what is wanted here, what the provider has, and who carries the difference.

-- While a change is under way, is_read and is_starred say what is wanted and these what the provider last said.
ALTER TABLE email_locations ADD COLUMN server_read BOOLEAN;
ALTER TABLE email_locations ADD COLUMN server_starred BOOLEAN;
-- When the provider last confirmed a change of ours: older news about this place do not count.
ALTER TABLE email_locations ADD COLUMN settled_at INTEGER;

CREATE INDEX idx_email_locations_expected ON email_locations(account_id) WHERE uid IS NULL;

-- Places that mails are to leave: shown no more, though the provider has the mail there still.
CREATE TABLE email_departures (
  id BLOB NOT NULL PRIMARY KEY,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  folder_id BLOB NOT NULL REFERENCES email_folders(id) ON DELETE CASCADE,
  account_id BLOB NOT NULL REFERENCES email_accounts(id) ON DELETE CASCADE,
  uid BIGINT NOT NULL,
  uid_validity BIGINT NOT NULL,
  mod_seq BIGINT,
  is_read BOOLEAN NOT NULL,
  is_starred BOOLEAN NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (folder_id, uid_validity, uid)
);

CREATE INDEX idx_email_departures_email_id ON email_departures(email_id);
CREATE INDEX idx_email_departures_account_id ON email_departures(account_id);

-- What of the operation is still to be done for this mail; later operations take their fields out of it.
ALTER TABLE mailbox_operation_items ADD COLUMN todo TEXT NOT NULL DEFAULT '{}';

-- The generation of UIDs before the one that is being taken over.
ALTER TABLE email_folders ADD COLUMN former_uid_validity BIGINT;

-- Who carries changes out to the provider, and who listens to it.
ALTER TABLE email_accounts ADD COLUMN carried_by TEXT;
ALTER TABLE email_accounts ADD COLUMN carried_until INTEGER;
ALTER TABLE email_accounts ADD COLUMN watched_by TEXT;
ALTER TABLE email_accounts ADD COLUMN watched_until INTEGER;

-- When every mail was last compared with the provider's, and since when somebody waits for that.
ALTER TABLE email_accounts ADD COLUMN swept_at INTEGER;
ALTER TABLE email_accounts ADD COLUMN sweep_requested_at INTEGER;
