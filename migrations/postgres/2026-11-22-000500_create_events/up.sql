-- The outbox of facts and their delivery to webhooks.

-- Written unnumbered with the change itself; one sequencer numbers committed rows.
CREATE TABLE events (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  seq BIGINT,
  type TEXT NOT NULL,
  account_id UUID,
  data JSONB NOT NULL,
  occurred_at TIMESTAMPTZ NOT NULL,
  UNIQUE (organization_id, seq)
);

CREATE INDEX idx_events_unnumbered ON events(organization_id, id) WHERE seq IS NULL;
CREATE INDEX idx_events_occurred_at ON events(occurred_at);

CREATE TABLE webhook_endpoints (
  id UUID NOT NULL PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  events JSONB NOT NULL,
  -- Sealed.
  secret BYTEA NOT NULL,
  disabled_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_webhook_endpoints_organization_id ON webhook_endpoints(organization_id, id);
CREATE INDEX idx_webhook_endpoints_user_id ON webhook_endpoints(user_id);

CREATE TABLE webhook_deliveries (
  id UUID NOT NULL PRIMARY KEY,
  endpoint_id UUID NOT NULL REFERENCES webhook_endpoints(id) ON DELETE CASCADE,
  event_id UUID NOT NULL REFERENCES events(id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts JSONB NOT NULL DEFAULT '[]',
  attempt_count INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TIMESTAMPTZ,
  claimed_by TEXT,
  claimed_until TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_webhook_deliveries_endpoint_id ON webhook_deliveries(endpoint_id, id);
CREATE INDEX idx_webhook_deliveries_event_id ON webhook_deliveries(event_id);
CREATE INDEX idx_webhook_deliveries_pending ON webhook_deliveries(next_attempt_at) WHERE status = 'pending';
