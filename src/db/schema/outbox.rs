//! The outbox of facts and webhook deliveries.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    events (id) {
        id -> Uid,
        organization_id -> Uid,
        seq -> Nullable<BigInt>,
        #[sql_name = "type"]
        type_ -> Text,
        account_id -> Nullable<Uid>,
        data -> Doc,
        occurred_at -> Instant,
        user_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    webhook_endpoints (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Uid,
        url -> Text,
        events -> Doc,
        secret -> Binary,
        disabled_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    webhook_deliveries (id) {
        id -> Uid,
        endpoint_id -> Uid,
        event_id -> Uid,
        status -> Text,
        attempts -> Doc,
        attempt_count -> Integer,
        next_attempt_at -> Nullable<Instant>,
        claimed_by -> Nullable<Text>,
        claimed_until -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}
