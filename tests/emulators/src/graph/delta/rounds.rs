//! Rounds under way: what is still to be told, and how far each token has come.

use super::items::{Item, Kinds};
use crate::graph::errors::ApiError;
use crate::graph::query::{Expand, Expr};
use crate::graph::switches::{DeltaLoss, Settings};
use crate::shared::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the first call of a delta query asked for, and every later one gets without asking.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `$select`.
    pub select: Option<Vec<String>>,
    /// `$expand`.
    pub expand: Vec<Expand>,
    /// `$filter`.
    pub filter: Option<Expr>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// `$top`.
    pub top: Option<usize>,
    /// Which kinds of change.
    pub kinds: Kinds,
}

/// One round: what it tells, cut into pages.
#[derive(Clone, Debug)]
pub struct Round {
    /// Whose it is, by object id.
    pub user: String,
    /// The folder; 0 for a round of folders.
    pub folder: u64,
    /// What was asked for.
    pub asked: Asked,
    /// The pages, some of them empty.
    pub pages: Vec<Vec<Item>>,
    /// The number of the last change that it takes in.
    pub reaches: u64,
    /// Whether what follows it leaves something out.
    pub is_lossy: bool,
}

/// How far a token has come.
#[derive(Clone, Debug)]
pub enum Token {
    /// The next page of a round.
    Page {
        /// The round.
        round: u64,
        /// The page.
        page: usize,
        /// When the link ends, in milliseconds.
        expires: i64,
        /// The generation of tokens and that of links.
        generations: (u64, u64),
    },
    /// The next round.
    Next {
        /// The round before.
        round: u64,
        /// The generation of tokens.
        generation: u64,
    },
}

/// Everything of this kind.
#[derive(Debug, Default)]
pub struct Rounds {
    /// Rounds by number.
    pub rounds: BTreeMap<u64, Arc<Round>>,
    /// Tokens that were given out.
    pub tokens: BTreeMap<String, Token>,
    /// How many rounds there were.
    pub last: u64,
    /// How many tokens were refused.
    pub lost: u64,
}

impl Rounds {
    /// Writes a round down; its number.
    pub fn add(&mut self, round: Round) -> u64 {
        self.last += 1;
        self.rounds.insert(self.last, Arc::new(round));
        self.last
    }

    /// Gives out a token. Nobody can tell from it what it stands for.
    pub fn give(&mut self, token: Token, random: &Random) -> String {
        let name = random.token(96);
        self.tokens.insert(name.clone(), token);
        name
    }

    /// What a token that is worth nothing is answered with; the forms take turns.
    pub fn lost(&mut self, settings: &Settings, anew: &str, random: &Random) -> ApiError {
        let turn = usize::try_from(self.lost).unwrap_or(0) % DeltaLoss::ALL.len();
        self.lost += 1;
        let form = settings.delta_loss.or_else(|| DeltaLoss::ALL.get(turn).copied()).unwrap_or(DeltaLoss::Gone);
        let generation = random.next() % 900 + 100;
        let text = format!(
            "The sync state generation is not found; generation={generation};[highest={}]{}.",
            generation + 8,
            random.token(12)
        );
        match form {
            DeltaLoss::Gone => ApiError::new(
                410,
                "resyncRequired",
                "Resync required. Replace any local items with the server's version.",
            )
            .with("Location", anew),
            DeltaLoss::GoneNotFound => ApiError::new(410, "syncStateNotFound", text).with("Location", anew),
            DeltaLoss::BadRequest => ApiError::new(400, "SyncStateNotFound", text),
            DeltaLoss::NotFound => ApiError::new(404, "SYNCSTATENOTFOUND", text),
        }
    }
}
