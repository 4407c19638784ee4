//! Reads what a database error means.

use diesel::result::{DatabaseErrorKind, Error};

/// Whether an error says that the database is away, busy or out of space, rather than that a query is wrong.
///
/// Such an error passes by itself: callers answer 503 or try again later.
pub fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _)
        | Error::BrokenTransactionManager => true,
        Error::DatabaseError(_, info) => {
            let text = info.message();
            [
                "database or disk is full",
                "No space left on device",
                "could not extend file",
                "disk I/O error",
                "database is locked",
                "terminating connection",
                "the database system is",
                "connection closed",
                "unable to open database file",
            ]
            .iter()
            .any(|sign| text.contains(sign))
        }
        _ => false,
    }
}

/// Whether an error says that a unique constraint was broken.
pub fn is_unique_violation(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}
