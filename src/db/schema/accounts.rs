//! Mailboxes, their folders and OAuth sign-ins under way.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_accounts (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Uid,
        provider -> Text,
        email_address -> Text,
        display_name -> Nullable<Text>,
        aliases -> Doc,
        access_token -> Nullable<Binary>,
        refresh_token -> Nullable<Binary>,
        token_expires_at -> Nullable<Instant>,
        imap_host -> Nullable<Text>,
        imap_port -> Nullable<Integer>,
        imap_security -> Nullable<Text>,
        imap_username -> Nullable<Text>,
        imap_password -> Nullable<Binary>,
        smtp_host -> Nullable<Text>,
        smtp_port -> Nullable<Integer>,
        smtp_security -> Nullable<Text>,
        smtp_username -> Nullable<Binary>,
        smtp_password -> Nullable<Binary>,
        phase -> Text,
        last_sync_at -> Nullable<Instant>,
        next_sync_at -> Nullable<Instant>,
        sync_requested_at -> Nullable<Instant>,
        sync_token -> Nullable<Text>,
        history_id -> Nullable<BigInt>,
        backfill_started_at -> Nullable<Instant>,
        backfill_finished_at -> Nullable<Instant>,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Instant>,
        push -> Text,
        webhook_id -> Nullable<Text>,
        webhook_expires_at -> Nullable<Instant>,
        status -> Text,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        last_error_at -> Nullable<Instant>,
        consecutive_failures -> Integer,
        settings -> Doc,
        removed_at -> Nullable<Instant>,
        erase_requested_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        carried_by -> Nullable<Text>,
        carried_until -> Nullable<Instant>,
        watched_by -> Nullable<Text>,
        watched_until -> Nullable<Instant>,
        swept_at -> Nullable<Instant>,
        sweep_requested_at -> Nullable<Instant>,
        mailed_by -> Nullable<Text>,
        mailed_until -> Nullable<Instant>,
        mail_not_before -> Nullable<Instant>,
        smtp_max_size -> Nullable<BigInt>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_folders (id) {
        id -> Uid,
        account_id -> Uid,
        external_id -> Text,
        parent_id -> Nullable<Uid>,
        name -> Text,
        role -> Nullable<Text>,
        selectable -> Bool,
        included -> Bool,
        provider_count -> Nullable<BigInt>,
        uid_validity -> Nullable<BigInt>,
        uid_next -> Nullable<BigInt>,
        highest_modseq -> Nullable<BigInt>,
        backfill_cursor -> Nullable<BigInt>,
        backfill_total -> BigInt,
        backfill_synced -> BigInt,
        delta_link -> Nullable<Text>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
        former_uid_validity -> Nullable<BigInt>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    oauth_states (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Uid,
        account_id -> Nullable<Uid>,
        session_id -> Nullable<Uid>,
        provider -> Text,
        state_hash -> Binary,
        pkce_verifier -> Binary,
        login_hint -> Nullable<Text>,
        return_to -> Nullable<Text>,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}
