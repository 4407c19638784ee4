//! Organizations, people, sessions, keys and the audit log.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    settings (key) {
        key -> Text,
        value -> Doc,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    organizations (id) {
        id -> Uid,
        name -> Text,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    users (id) {
        id -> Uid,
        organization_id -> Uid,
        email -> Text,
        email_normalized -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        password_changed_at -> Nullable<Instant>,
        external_id -> Nullable<Text>,
        last_sign_in_at -> Nullable<Instant>,
        disabled_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    sessions (id) {
        id -> Uid,
        user_id -> Uid,
        token_hash -> Binary,
        csrf_token -> Text,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        last_seen_at -> Instant,
        expires_at -> Instant,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    api_keys (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Uid,
        name -> Text,
        prefix -> Text,
        key_hash -> Binary,
        scopes -> Nullable<Doc>,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    invitations (id) {
        id -> Uid,
        organization_id -> Uid,
        email -> Text,
        email_normalized -> Text,
        name -> Text,
        role -> Text,
        token_hash -> Binary,
        created_by -> Nullable<Uid>,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    password_resets (id) {
        id -> Uid,
        user_id -> Uid,
        token_hash -> Binary,
        created_by -> Nullable<Uid>,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    audit_log (id) {
        id -> Uid,
        organization_id -> Uid,
        seq -> BigInt,
        actor_kind -> Text,
        actor_user_id -> Nullable<Uid>,
        actor_key_id -> Nullable<Uid>,
        action -> Text,
        object_type -> Text,
        object_id -> Nullable<Text>,
        detail -> Doc,
        ip_address -> Nullable<Text>,
        created_at -> Instant,
        prev_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    idempotency_keys (user_id, key) {
        user_id -> Uid,
        key -> Text,
        method -> Text,
        path -> Text,
        request_hash -> Binary,
        status -> Nullable<Integer>,
        headers -> Nullable<Doc>,
        response -> Nullable<Binary>,
        created_at -> Instant,
        expires_at -> Instant,
        held_by -> Nullable<Text>,
    }
}
