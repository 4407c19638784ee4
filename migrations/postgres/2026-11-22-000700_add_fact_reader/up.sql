-- Who may read a fact: one user, the owner of the mailbox, or with null everybody of the organization.

-- No foreign key: a row that went with its user would leave a hole in the numbers.
ALTER TABLE events ADD COLUMN user_id UUID;

CREATE INDEX idx_events_user_id ON events(organization_id, user_id, seq);
