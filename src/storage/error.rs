//! What can go wrong with the object store.

use std::error::Error as _;
use std::io;

use crate::error::ApiError;

/// Why the storage did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such object.
    #[error("the object is not in the storage")]
    Missing,
    /// The disk or bucket takes no more; it works again when room was made.
    #[error("the storage is full")]
    Full,
    /// The storage does not answer, or refuses; tried again it may work.
    #[error("the storage does not answer: {0}")]
    Away(String),
    /// What was read cannot be what was written, or the reference to it makes no sense.
    #[error("an object in the storage is damaged: {0}")]
    Damaged(String),
}

impl StorageError {
    /// Whether the error passes by itself or by making room: work is to be tried again later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Full | Self::Away(_))
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Away(error.to_string()),
        }
    }
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Self::Missing;
        }
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(inner) = inner.downcast_ref::<io::Error>()
                && matches!(inner.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            {
                return Self::Full;
            }
            cause = inner.source();
        }
        Self::Away(error.to_string())
    }
}

impl From<tokio::task::JoinError> for StorageError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Missing => Self::not_found(),
            StorageError::Full | StorageError::Away(_) => {
                tracing::warn!(error = %error, "the storage does not answer");
                Self::unavailable()
            }
            StorageError::Damaged(_) => Self::internal(error),
        }
    }
}
