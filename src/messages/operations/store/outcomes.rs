//! What the executor writes after the provider has done something, in the transaction of the executor.

use diesel::QueryResult;

use super::super::model::{Flag, Number, PlaceRow};
use crate::clock::Timestamp;
use crate::db::DbConn;
use crate::ids::{FolderId, LocationId};

/// The provider has stored a flag at these places, which have this state of their flags now.
pub async fn flags_stored(
    _tx: &mut DbConn,
    _places: &[(LocationId, Option<u64>)],
    _flag: Flag,
    _value: bool,
    _now: Timestamp,
) -> QueryResult<()> {
    Ok(())
}

/// The provider has moved a mail from a departure (as [`super::differences`] gave it) to a folder; `to` is its number there,
/// where the server says it (COPYUID).
pub async fn moved(
    _tx: &mut DbConn,
    _from: &PlaceRow,
    _folder: FolderId,
    _to: Option<Number>,
    _now: Timestamp,
) -> QueryResult<()> {
    Ok(())
}

/// The provider has copied a mail from one of its places (location or departure) to a folder.
pub async fn copied(
    _tx: &mut DbConn,
    _from: &PlaceRow,
    _folder: FolderId,
    _to: Option<Number>,
    _now: Timestamp,
) -> QueryResult<()> {
    Ok(())
}

/// The provider has taken a mail out of a departure.
pub async fn removed(_tx: &mut DbConn, _from: &PlaceRow, _now: Timestamp) -> QueryResult<()> {
    Ok(())
}
