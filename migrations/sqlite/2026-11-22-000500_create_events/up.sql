-- The outbox of facts and their delivery to webhooks.

-- Written unnumbered with the change itself; one sequencer numbers committed rows.
CREATE TABLE events (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  seq BIGINT,
  type TEXT NOT NULL,
  account_id BLOB,
  data TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  UNIQUE (organization_id, seq)
);

CREATE INDEX idx_events_unnumbered ON events(organization_id, id) WHERE seq IS NULL;
CREATE INDEX idx_events_occurred_at ON events(occurred_at);

CREATE TABLE webhook_endpoints (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id BLOB NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  -- Sealed.
  secret BLOB NOT NULL,
  disabled_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_webhook_endpoints_organization_id ON webhook_endpoints(organization_id, id);
CREATE INDEX idx_webhook_endpoints_user_id ON webhook_endpoints(user_id);

CREATE TABLE webhook_deliveries (
  id BLOB NOT NULL PRIMARY KEY,
  endpoint_id BLOB NOT NULL REFERENCES webhook_endpoints(id) ON DELETE CASCADE,
  event_id BLOB NOT NULL REFERENCES events(id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts TEXT NOT NULL DEFAULT '[]',
  attempt_count INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  claimed_by TEXT,
  claimed_until INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_webhook_deliveries_endpoint_id ON webhook_deliveries(endpoint_id, id);
CREATE INDEX idx_webhook_deliveries_event_id ON webhook_deliveries(event_id);
CREATE INDEX idx_webhook_deliveries_pending ON webhook_deliveries(next_attempt_at) WHERE status = 'pending';
