DROP INDEX idx_events_user_id;
ALTER TABLE events DROP COLUMN user_id;
