//! The tables as diesel sees them, the same for both databases.
//!
//! Written by hand: `diesel print-schema` would name one backend's own types, while these columns use
//! the portable [`Uid`](super::types::Uid), [`Instant`](super::types::Instant) and
//! [`Doc`](super::types::Doc). The migrations under `migrations/` are the other side of it.

mod accounts;
mod crm;
mod identity;
mod mail;
mod outbox;
mod sending;

pub use accounts::*;
pub use crm::*;
pub use identity::*;
pub use mail::*;
pub use outbox::*;
pub use sending::*;

diesel::joinable!(activities -> organizations (organization_id));
diesel::joinable!(activities -> users (user_id));
diesel::joinable!(api_keys -> organizations (organization_id));
diesel::joinable!(api_keys -> users (user_id));
diesel::joinable!(audit_log -> organizations (organization_id));
diesel::joinable!(blocklist_entries -> organizations (organization_id));
diesel::joinable!(blocklist_entries -> users (created_by));
diesel::joinable!(companies -> organizations (organization_id));
diesel::joinable!(completeness_runs -> email_accounts (account_id));
diesel::joinable!(completeness_runs -> email_folders (folder_id));
diesel::joinable!(contact_emails -> contacts (contact_id));
diesel::joinable!(contact_emails -> organizations (organization_id));
diesel::joinable!(contacts -> companies (company_id));
diesel::joinable!(contacts -> organizations (organization_id));
diesel::joinable!(contacts -> users (owner_id));
diesel::joinable!(deal_contacts -> contacts (contact_id));
diesel::joinable!(deal_contacts -> deals (deal_id));
diesel::joinable!(deals -> companies (company_id));
diesel::joinable!(deals -> organizations (organization_id));
diesel::joinable!(deals -> users (owner_id));
diesel::joinable!(delivery_reports -> emails (email_id));
diesel::joinable!(delivery_reports -> organizations (organization_id));
diesel::joinable!(email_accounts -> organizations (organization_id));
diesel::joinable!(email_accounts -> users (user_id));
diesel::joinable!(email_activities -> activities (activity_id));
diesel::joinable!(email_activities -> emails (email_id));
diesel::joinable!(email_attachments -> emails (email_id));
diesel::joinable!(email_attachments -> organizations (organization_id));
diesel::joinable!(email_contacts -> contacts (contact_id));
diesel::joinable!(email_contacts -> emails (email_id));
diesel::joinable!(email_deals -> deals (deal_id));
diesel::joinable!(email_deals -> emails (email_id));
diesel::joinable!(email_departures -> email_accounts (account_id));
diesel::joinable!(email_departures -> email_folders (folder_id));
diesel::joinable!(email_departures -> emails (email_id));
diesel::joinable!(email_folders -> email_accounts (account_id));
diesel::joinable!(email_links -> emails (email_id));
diesel::joinable!(email_locations -> email_accounts (account_id));
diesel::joinable!(email_locations -> email_folders (folder_id));
diesel::joinable!(email_locations -> emails (email_id));
diesel::joinable!(email_outgoing -> email_accounts (account_id));
diesel::joinable!(email_outgoing -> emails (email_id));
diesel::joinable!(email_recipients -> emails (email_id));
diesel::joinable!(email_template_versions -> email_templates (template_id));
diesel::joinable!(email_template_versions -> users (created_by));
diesel::joinable!(email_templates -> organizations (organization_id));
diesel::joinable!(email_templates -> users (user_id));
diesel::joinable!(email_tracking_events -> email_links (link_id));
diesel::joinable!(email_tracking_events -> emails (email_id));
diesel::joinable!(emails -> email_accounts (account_id));
diesel::joinable!(emails -> organizations (organization_id));
diesel::joinable!(emails -> threads (thread_id));
diesel::joinable!(emails -> users (user_id));
diesel::joinable!(events -> organizations (organization_id));
diesel::joinable!(idempotency_keys -> users (user_id));
diesel::joinable!(invitations -> organizations (organization_id));
diesel::joinable!(invitations -> users (created_by));
diesel::joinable!(mailbox_operation_items -> email_accounts (account_id));
diesel::joinable!(mailbox_operation_items -> emails (email_id));
diesel::joinable!(mailbox_operation_items -> mailbox_operations (operation_id));
diesel::joinable!(mailbox_operations -> organizations (organization_id));
diesel::joinable!(mailbox_operations -> users (created_by));
diesel::joinable!(oauth_states -> email_accounts (account_id));
diesel::joinable!(oauth_states -> organizations (organization_id));
diesel::joinable!(oauth_states -> sessions (session_id));
diesel::joinable!(oauth_states -> users (user_id));
diesel::joinable!(policies -> organizations (organization_id));
diesel::joinable!(policies -> users (updated_by));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(skipped_messages -> email_accounts (account_id));
diesel::joinable!(skipped_messages -> email_folders (folder_id));
diesel::joinable!(suppressions -> emails (email_id));
diesel::joinable!(suppressions -> organizations (organization_id));
diesel::joinable!(thread_accounts -> email_accounts (account_id));
diesel::joinable!(thread_accounts -> threads (thread_id));
diesel::joinable!(thread_message_ids -> organizations (organization_id));
diesel::joinable!(thread_message_ids -> threads (thread_id));
diesel::joinable!(threads -> organizations (organization_id));
diesel::joinable!(uploads -> organizations (organization_id));
diesel::joinable!(uploads -> users (user_id));
diesel::joinable!(users -> organizations (organization_id));
diesel::joinable!(webhook_deliveries -> events (event_id));
diesel::joinable!(webhook_deliveries -> webhook_endpoints (endpoint_id));
diesel::joinable!(webhook_endpoints -> organizations (organization_id));
diesel::joinable!(webhook_endpoints -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    activities,
    api_keys,
    audit_log,
    blocklist_entries,
    companies,
    completeness_runs,
    contact_emails,
    contacts,
    deal_contacts,
    deals,
    delivery_reports,
    email_accounts,
    email_activities,
    email_attachments,
    email_contacts,
    email_deals,
    email_departures,
    email_folders,
    email_links,
    email_locations,
    email_outgoing,
    email_recipients,
    email_template_versions,
    email_templates,
    email_tracking_events,
    emails,
    events,
    idempotency_keys,
    invitations,
    mailbox_operation_items,
    mailbox_operations,
    oauth_states,
    organizations,
    password_resets,
    policies,
    sessions,
    settings,
    skipped_messages,
    suppressions,
    thread_accounts,
    thread_message_ids,
    threads,
    uploads,
    users,
    webhook_deliveries,
    webhook_endpoints,
);
