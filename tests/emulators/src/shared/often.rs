//! How often something happens that the real service does only sometimes.

use serde::{Deserialize, Serialize};

/// Something that happens always, never, or every other time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Often {
    /// Every time.
    Always,
    /// Not once.
    Never,
    /// Every other time, as strictness wants it.
    #[default]
    EveryOther,
}

impl Often {
    /// Whether it happens the n-th time.
    pub fn applies(self, number: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::EveryOther => number.is_multiple_of(2),
        }
    }
}
