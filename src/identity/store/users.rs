//! Rows of users.

use diesel::{AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;

use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::db::schema::users;
use crate::identity::model::{Credentials, User};
use crate::ids::{OrgId, UserId};
use crate::on_conn;

/// A user to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    pub id: UserId,
    pub organization_id: OrgId,
    pub email: String,
    pub email_normalized: String,
    pub name: String,
    pub role: &'static str,
    pub password_hash: Option<String>,
    pub password_changed_at: Option<Timestamp>,
    pub external_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What changes of a user; absent fields stay.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChange {
    pub email: Option<String>,
    pub email_normalized: Option<String>,
    pub name: Option<String>,
    pub role: Option<&'static str>,
    pub external_id: Option<Option<String>>,
    pub disabled_at: Option<Option<Timestamp>>,
    pub updated_at: Option<Timestamp>,
}

pub async fn any(conn: &mut DbConn) -> QueryResult<bool> {
    let first: Option<UserId> = on_conn!(conn, |c| users::table.select(users::id).first(c).await.optional())?;
    Ok(first.is_some())
}

pub async fn insert(tx: &mut DbConn, user: NewUser) -> QueryResult<User> {
    on_conn!(tx, |c| {
        diesel::insert_into(users::table).values(&user).returning(User::as_returning()).get_result(c).await
    })
}

pub async fn get(conn: &mut DbConn, org: OrgId, id: UserId) -> QueryResult<User> {
    on_conn!(conn, |c| {
        users::table
            .filter(users::organization_id.eq(org))
            .filter(users::id.eq(id))
            .select(User::as_select())
            .first(c)
            .await
    })
}

/// The user who signs in with an address, with the password's hash.
pub async fn credentials(conn: &mut DbConn, email_normalized: &str) -> QueryResult<Option<Credentials>> {
    on_conn!(conn, |c| {
        users::table
            .filter(users::email_normalized.eq(email_normalized))
            .select(Credentials::as_select())
            .first(c)
            .await
            .optional()
    })
}

pub async fn credentials_of(conn: &mut DbConn, id: UserId) -> QueryResult<Credentials> {
    on_conn!(conn, |c| users::table.find(id).select(Credentials::as_select()).first(c).await)
}

/// The user of an organization with an address or an external id.
pub async fn by_reference(conn: &mut DbConn, org: OrgId, reference: &str) -> QueryResult<Option<User>> {
    let email = reference.to_lowercase();
    let by_email = on_conn!(conn, |c| {
        users::table
            .filter(users::organization_id.eq(org))
            .filter(users::email_normalized.eq(&email))
            .select(User::as_select())
            .first(c)
            .await
            .optional()
    })?;
    if by_email.is_some() {
        return Ok(by_email);
    }
    on_conn!(conn, |c| {
        users::table
            .filter(users::organization_id.eq(org))
            .filter(users::external_id.eq(reference))
            .select(User::as_select())
            .first(c)
            .await
            .optional()
    })
}

/// A page of an organization's users in the order in which they came; `only` narrows it to one.
pub async fn list(
    conn: &mut DbConn,
    org: OrgId,
    only: Option<UserId>,
    after: Option<UserId>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    on_conn!(conn, |c| {
        let mut query = users::table
            .filter(users::organization_id.eq(org))
            .order(users::id)
            .limit(limit)
            .select(User::as_select())
            .into_boxed();
        if let Some(only) = only {
            query = query.filter(users::id.eq(only));
        }
        if let Some(after) = after {
            query = query.filter(users::id.gt(after));
        }
        query.load(c).await
    })
}

/// How many owners can sign in, besides one.
pub async fn other_owners(conn: &mut DbConn, org: OrgId, besides: UserId) -> QueryResult<i64> {
    on_conn!(conn, |c| {
        users::table
            .filter(users::organization_id.eq(org))
            .filter(users::role.eq("owner"))
            .filter(users::disabled_at.is_null())
            .filter(users::id.ne(besides))
            .count()
            .get_result(c)
            .await
    })
}

pub async fn update(tx: &mut DbConn, org: OrgId, id: UserId, change: UserChange) -> QueryResult<User> {
    on_conn!(tx, |c| {
        diesel::update(users::table.filter(users::organization_id.eq(org)).filter(users::id.eq(id)))
            .set(&change)
            .returning(User::as_returning())
            .get_result(c)
            .await
    })
}

pub async fn set_password(tx: &mut DbConn, id: UserId, hash: &str, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::update(users::table.find(id))
            .set((users::password_hash.eq(hash), users::password_changed_at.eq(now), users::updated_at.eq(now)))
            .execute(c)
            .await
    })?;
    Ok(())
}

pub async fn signed_in(tx: &mut DbConn, id: UserId, now: Timestamp) -> QueryResult<()> {
    on_conn!(tx, |c| { diesel::update(users::table.find(id)).set(users::last_sign_in_at.eq(now)).execute(c).await })?;
    Ok(())
}

pub async fn delete(tx: &mut DbConn, org: OrgId, id: UserId) -> QueryResult<()> {
    on_conn!(tx, |c| {
        diesel::delete(users::table.filter(users::organization_id.eq(org)).filter(users::id.eq(id))).execute(c).await
    })?;
    Ok(())
}
