-- The CRM's records, how mails are linked to them, and the rules of an organization.

CREATE TABLE companies (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  external_id TEXT,
  name TEXT NOT NULL,
  domains TEXT NOT NULL DEFAULT '[]',
  custom TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (organization_id, external_id)
);

CREATE INDEX idx_companies_organization_id ON companies(organization_id, id);

CREATE TABLE contacts (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  company_id BLOB REFERENCES companies(id) ON DELETE SET NULL,
  owner_id BLOB REFERENCES users(id) ON DELETE SET NULL,
  external_id TEXT,
  first_name TEXT,
  last_name TEXT,
  phone TEXT,
  title TEXT,
  custom TEXT NOT NULL DEFAULT '{}',
  unsubscribed BOOLEAN NOT NULL DEFAULT FALSE,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (organization_id, external_id)
);

CREATE INDEX idx_contacts_organization_id ON contacts(organization_id, id);
CREATE INDEX idx_contacts_company_id ON contacts(company_id);
CREATE INDEX idx_contacts_owner_id ON contacts(owner_id);

CREATE TABLE contact_emails (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  contact_id BLOB NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  email_address TEXT NOT NULL,
  email_normalized TEXT NOT NULL,
  position INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  UNIQUE (organization_id, email_normalized)
);

CREATE INDEX idx_contact_emails_contact_id ON contact_emails(contact_id);

CREATE TABLE deals (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  company_id BLOB REFERENCES companies(id) ON DELETE SET NULL,
  owner_id BLOB REFERENCES users(id) ON DELETE SET NULL,
  external_id TEXT,
  name TEXT NOT NULL,
  stage TEXT,
  amount DOUBLE PRECISION,
  currency TEXT,
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'won', 'lost')),
  -- YYYY-MM-DD
  close_date TEXT,
  custom TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (organization_id, external_id)
);

CREATE INDEX idx_deals_organization_id ON deals(organization_id, id);
CREATE INDEX idx_deals_company_id ON deals(company_id);
CREATE INDEX idx_deals_owner_id ON deals(owner_id);

CREATE TABLE deal_contacts (
  deal_id BLOB NOT NULL REFERENCES deals(id) ON DELETE CASCADE,
  contact_id BLOB NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (deal_id, contact_id)
);

CREATE INDEX idx_deal_contacts_contact_id ON deal_contacts(contact_id);

CREATE TABLE activities (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  user_id BLOB REFERENCES users(id) ON DELETE SET NULL,
  type TEXT NOT NULL,
  subject TEXT,
  body TEXT,
  activity_date INTEGER NOT NULL,
  contact_ids TEXT NOT NULL DEFAULT '[]',
  deal_ids TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_activities_organization_id ON activities(organization_id, activity_date DESC, id DESC);
CREATE INDEX idx_activities_user_id ON activities(user_id);

-- A link that a person removed stays as 'rejected', so that it is not made again.
CREATE TABLE email_contacts (
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  contact_id BLOB NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
  origin TEXT NOT NULL DEFAULT 'auto' CHECK (origin IN ('auto', 'manual', 'thread', 'rejected')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (email_id, contact_id)
);

CREATE INDEX idx_email_contacts_contact_id ON email_contacts(contact_id);

CREATE TABLE email_deals (
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  deal_id BLOB NOT NULL REFERENCES deals(id) ON DELETE CASCADE,
  origin TEXT NOT NULL DEFAULT 'auto' CHECK (origin IN ('auto', 'manual', 'thread', 'rejected')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (email_id, deal_id)
);

CREATE INDEX idx_email_deals_deal_id ON email_deals(deal_id);

CREATE TABLE email_activities (
  email_id BLOB NOT NULL REFERENCES emails(id) ON DELETE CASCADE,
  activity_id BLOB NOT NULL REFERENCES activities(id) ON DELETE CASCADE,
  origin TEXT NOT NULL DEFAULT 'auto' CHECK (origin IN ('auto', 'manual', 'thread', 'rejected')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (email_id, activity_id)
);

CREATE INDEX idx_email_activities_activity_id ON email_activities(activity_id);

CREATE TABLE blocklist_entries (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('address', 'domain')),
  value TEXT NOT NULL,
  created_by BLOB REFERENCES users(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (organization_id, kind, value)
);

CREATE INDEX idx_blocklist_entries_created_by ON blocklist_entries(created_by);

CREATE TABLE policies (
  organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations(id) ON DELETE CASCADE,
  rules TEXT NOT NULL,
  updated_by BLOB REFERENCES users(id) ON DELETE SET NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX idx_policies_updated_by ON policies(updated_by);

-- Addresses never written to again; after an erasure only a keyed hash remains.
CREATE TABLE suppressions (
  id BLOB NOT NULL PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  email_normalized TEXT,
  address_hash BLOB NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('unsubscribed', 'bounced', 'complained', 'manual', 'erased')),
  email_id BLOB REFERENCES emails(id) ON DELETE SET NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (organization_id, address_hash, reason)
);

CREATE INDEX idx_suppressions_email_id ON suppressions(email_id);
