//! Mails on their way out, delivery reports, uploaded files, templates, tracked links and tracking events.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_outgoing (email_id) {
        email_id -> Uid,
        account_id -> Uid,
        revision -> BigInt,
        action -> Nullable<Text>,
        source_email_id -> Nullable<Uid>,
        headers -> Doc,
        options -> Doc,
        client_key -> Nullable<Text>,
        due_at -> Nullable<Instant>,
        attempts -> Integer,
        error_code -> Nullable<Text>,
        handed_at -> Nullable<Instant>,
        file_due_at -> Nullable<Instant>,
        file_attempts -> Integer,
        mirror_due_at -> Nullable<Instant>,
        mirror_attempts -> Integer,
        mirrored_revision -> Nullable<BigInt>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Uid};
    use diesel::sql_types::*;

    delivery_reports (email_id) {
        email_id -> Uid,
        organization_id -> Uid,
        original_message_id -> Text,
        recipients -> Doc,
    }
}

diesel::table! {
    use crate::db::types::{Instant, Uid};
    use diesel::sql_types::*;

    uploads (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Uid,
        file_name -> Text,
        mime_type -> Text,
        size_bytes -> BigInt,
        storage_path -> Text,
        sha256 -> Binary,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_templates (id) {
        id -> Uid,
        user_id -> Nullable<Uid>,
        organization_id -> Nullable<Uid>,
        name -> Text,
        category -> Nullable<Text>,
        subject -> Text,
        body_html -> Text,
        body_text -> Nullable<Text>,
        variables -> Doc,
        is_shared -> Bool,
        usage_count -> Integer,
        version -> Integer,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_template_versions (template_id, version) {
        template_id -> Uid,
        version -> Integer,
        name -> Text,
        subject -> Text,
        body_html -> Text,
        body_text -> Nullable<Text>,
        variables -> Doc,
        created_by -> Nullable<Uid>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_links (id) {
        id -> Uid,
        email_id -> Uid,
        position -> Integer,
        url -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_tracking_events (id) {
        id -> Uid,
        email_id -> Uid,
        event_type -> Text,
        link_id -> Nullable<Uid>,
        link_url -> Nullable<Text>,
        recipient -> Nullable<Text>,
        actor -> Text,
        reason -> Nullable<Text>,
        rules_version -> Integer,
        method -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Instant,
    }
}
