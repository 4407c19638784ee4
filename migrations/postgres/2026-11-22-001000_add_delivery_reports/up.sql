-- What delivery reports say: one that is stored before the mail that it is about still finds it.

CREATE TABLE delivery_reports (
  email_id UUID NOT NULL PRIMARY KEY REFERENCES emails(id) ON DELETE CASCADE,
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  original_message_id TEXT NOT NULL,
  recipients JSONB NOT NULL DEFAULT '[]'
);

CREATE INDEX idx_delivery_reports_organization_id ON delivery_reports(organization_id, original_message_id);
