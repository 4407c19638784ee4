//! Records of the CRM, links to them, and the rules of an organization.

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    companies (id) {
        id -> Uid,
        organization_id -> Uid,
        external_id -> Nullable<Text>,
        name -> Text,
        domains -> Doc,
        custom -> Doc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    contacts (id) {
        id -> Uid,
        organization_id -> Uid,
        company_id -> Nullable<Uid>,
        owner_id -> Nullable<Uid>,
        external_id -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        phone -> Nullable<Text>,
        title -> Nullable<Text>,
        custom -> Doc,
        unsubscribed -> Bool,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    contact_emails (id) {
        id -> Uid,
        organization_id -> Uid,
        contact_id -> Uid,
        email_address -> Text,
        email_normalized -> Text,
        position -> Integer,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    deals (id) {
        id -> Uid,
        organization_id -> Uid,
        company_id -> Nullable<Uid>,
        owner_id -> Nullable<Uid>,
        external_id -> Nullable<Text>,
        name -> Text,
        stage -> Nullable<Text>,
        amount -> Nullable<Double>,
        currency -> Nullable<Text>,
        status -> Text,
        close_date -> Nullable<Text>,
        custom -> Doc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    deal_contacts (deal_id, contact_id) {
        deal_id -> Uid,
        contact_id -> Uid,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    activities (id) {
        id -> Uid,
        organization_id -> Uid,
        user_id -> Nullable<Uid>,
        #[sql_name = "type"]
        type_ -> Text,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
        activity_date -> Instant,
        contact_ids -> Doc,
        deal_ids -> Doc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_contacts (email_id, contact_id) {
        email_id -> Uid,
        contact_id -> Uid,
        origin -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_deals (email_id, deal_id) {
        email_id -> Uid,
        deal_id -> Uid,
        origin -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    email_activities (email_id, activity_id) {
        email_id -> Uid,
        activity_id -> Uid,
        origin -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    blocklist_entries (id) {
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        value -> Text,
        created_by -> Nullable<Uid>,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    policies (organization_id) {
        organization_id -> Uid,
        rules -> Doc,
        updated_by -> Nullable<Uid>,
        updated_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Doc, Instant, Uid};
    use diesel::sql_types::*;

    suppressions (id) {
        id -> Uid,
        organization_id -> Uid,
        email_normalized -> Nullable<Text>,
        address_hash -> Binary,
        reason -> Text,
        email_id -> Nullable<Uid>,
        created_at -> Instant,
    }
}
