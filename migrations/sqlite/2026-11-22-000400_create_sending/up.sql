-- Templates, tracked links, and what readers did with a mail.

CREATE TABLE email_templates (
  id BLOB NOT NULL PRIMARY KEY,
  user_id BLOB REFERENCES users(id) ON DELETE SET NULL,
  organization_id BLOB REFERENCES organizations(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  category TEXT,
  subject TEXT NOT NULL,
  body_html TEXT NOT NULL,
  body_text TEXT,
  variables TEXT NOT NULL DEFAULT '[]',
  is_shared BOOLEAN NOT NULL DEFAULT FALSE,
  usage_count INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_email_templates_user_id ON email_templates(user_id);
CREATE INDEX idx_email_templates_organization_id ON email_templates(organization_id, id);
CREATE INDEX idx_email_templates_category ON email_templates(category);

CREATE TABLE email_template_versions (
  template_id BLOB NOT NULL REFERENCES email_templates(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  body_html TEXT NOT NULL,
  body_text TEXT,
  variables TEXT NOT NULL DEFAULT '[]',
  created_by BLOB REFERENCES users(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (template_id, version)
);

CREATE INDEX idx_email_template_versions_created_by ON email_template_versions(created_by);

-- The links of a sent mail that are tracked.
CREATE TABLE email_links (
  id BLOB NOT NULL PRIMARY KEY,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  url TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_email_links_email_id ON email_links(email_id);

CREATE TABLE email_tracking_events (
  id BLOB NOT NULL PRIMARY KEY,
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  event_type TEXT NOT NULL CHECK (event_type IN ('open', 'click')),
  link_id BLOB REFERENCES email_links(id) ON DELETE SET NULL,
  link_url TEXT,
  recipient TEXT,
  actor TEXT NOT NULL CHECK (actor IN ('human', 'machine', 'self', 'unknown')),
  reason TEXT,
  rules_version INTEGER NOT NULL,
  method TEXT,
  ip_address TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL
);

CREATE INDEX idx_tracking_events_email_id ON email_tracking_events(email_id);
CREATE INDEX idx_tracking_events_link_id ON email_tracking_events(link_id);
CREATE INDEX idx_tracking_events_type ON email_tracking_events(event_type);
CREATE INDEX idx_tracking_events_created_at ON email_tracking_events(created_at DESC);
