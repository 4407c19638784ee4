//! Mails, threads, locations and the journal of changes.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    threads (id) {
        id -> Uid,
        organization_id -> Uid,
        subject -> Nullable<Text>,
        normalized_subject -> Nullable<Text>,
        first_message_at -> Instant,
        last_message_at -> Instant,
        message_count -> BigInt,
        snippet -> Nullable<Text>,
        participants -> Doc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    thread_accounts (account_id, thread_id) {
        account_id -> Uid,
        thread_id -> Uid,
        last_message_at -> Instant,
        message_count -> BigInt,
        unread_count -> BigInt,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    thread_message_ids (organization_id, message_id) {
        organization_id -> Uid,
        message_id -> Text,
        thread_id -> Uid,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    emails (id) {
        id -> Uid,
        organization_id -> Uid,
        account_id -> Uid,
        user_id -> Uid,
        external_id -> Text,
        thread_id -> Nullable<Uid>,
        provider_thread_id -> Nullable<Text>,
        message_id -> Nullable<Text>,
        in_reply_to -> Nullable<Text>,
        references -> Doc,
        from_email -> Text,
        from_name -> Nullable<Text>,
        subject -> Nullable<Text>,
        snippet -> Nullable<Text>,
        direction -> Text,
        status -> Text,
        error_message -> Nullable<Text>,
        kind -> Text,
        sent_at -> Instant,
        received_at -> Instant,
        scheduled_at -> Nullable<Instant>,
        replied_at -> Nullable<Instant>,
        bounced_at -> Nullable<Instant>,
        opened -> Bool,
        opened_at -> Nullable<Instant>,
        open_count -> Integer,
        machine_open_count -> Integer,
        click_count -> Integer,
        is_read -> Bool,
        is_starred -> Bool,
        is_archived -> Bool,
        is_draft -> Bool,
        is_trashed -> Bool,
        is_spam -> Bool,
        is_answered -> Bool,
        has_attachments -> Bool,
        attachment_count -> Integer,
        headers -> Doc,
        raw_ref -> Nullable<Text>,
        raw_size -> Nullable<BigInt>,
        defects -> Doc,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Instant>,
        indexed_at -> Nullable<Instant>,
        linked_at -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        synced_at -> Instant,
        body_visible_text -> Nullable<Text>,
        body_text -> Nullable<Text>,
        body_html -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_locations (id) {
        id -> Uid,
        email_id -> Uid,
        folder_id -> Uid,
        account_id -> Uid,
        uid -> Nullable<BigInt>,
        uid_validity -> Nullable<BigInt>,
        mod_seq -> Nullable<BigInt>,
        is_read -> Bool,
        is_starred -> Bool,
        received_at -> Instant,
        created_at -> Instant,
        server_read -> Nullable<Bool>,
        server_starred -> Nullable<Bool>,
        settled_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Instant, Uid};
    use diesel::sql_types::*;

    email_departures (id) {
        id -> Uid,
        email_id -> Uid,
        folder_id -> Uid,
        account_id -> Uid,
        uid -> BigInt,
        uid_validity -> BigInt,
        mod_seq -> Nullable<BigInt>,
        is_read -> Bool,
        is_starred -> Bool,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_recipients (id) {
        id -> Uid,
        email_id -> Uid,
        recipient_type -> Text,
        position -> Integer,
        email_address -> Text,
        email_normalized -> Text,
        name -> Nullable<Text>,
        created_at -> Instant,
        delivery -> Nullable<Text>,
        smtp_code -> Nullable<Integer>,
        smtp_reply -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_attachments (id) {
        id -> Uid,
        organization_id -> Uid,
        email_id -> Uid,
        file_name -> Text,
        mime_type -> Nullable<Text>,
        size_bytes -> Nullable<BigInt>,
        storage_path -> Text,
        sha256 -> Nullable<Binary>,
        content_id -> Nullable<Text>,
        is_inline -> Bool,
        part_id -> Nullable<Text>,
        external_id -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    skipped_messages (id) {
        id -> Uid,
        account_id -> Uid,
        folder_id -> Nullable<Uid>,
        external_id -> Nullable<Text>,
        message_id -> Nullable<Text>,
        uid -> Nullable<BigInt>,
        uid_validity -> Nullable<BigInt>,
        reason -> Text,
        detail -> Nullable<Text>,
        size -> Nullable<BigInt>,
        attempts -> Integer,
        next_attempt_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    mailbox_operations (id) {
        id -> Uid,
        organization_id -> Uid,
        created_by -> Nullable<Uid>,
        kind -> Text,
        changes -> Doc,
        state -> Text,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        confirmed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    mailbox_operation_items (operation_id, email_id) {
        operation_id -> Uid,
        email_id -> Uid,
        account_id -> Uid,
        before -> Doc,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Nullable<Instant>,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Instant>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        updated_at -> Instant,
        todo -> Doc,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    completeness_runs (id) {
        id -> Uid,
        account_id -> Uid,
        folder_id -> Uid,
        provider_count -> BigInt,
        stored_count -> BigInt,
        skipped_count -> BigInt,
        missing_count -> BigInt,
        detail -> Doc,
        created_at -> Instant,
    }
}
