//! What the screen of alerts knows.

use crate::tui::{
    alerts::{AlertKey, Past},
    context::Context,
};

/// The alerts.
#[derive(Debug, Default)]
pub struct State {
    /// The chosen one.
    pub chosen: usize,
    /// First row in sight.
    pub first: usize,
}

/// A row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// Wrong now.
    Standing(&'a AlertKey),
    /// Over.
    Past(&'a Past),
}

impl<'a> Row<'a> {
    /// What it is about.
    #[must_use]
    pub fn key(self) -> &'a AlertKey {
        match self {
            Self::Standing(key) => key,
            Self::Past(past) => &past.key,
        }
    }
}

impl State {
    /// All rows: what is wrong now, what nobody has acknowledged first, then what is over, the latest first.
    pub fn rows(context: &Context) -> Vec<Row<'_>> {
        let standing = context.alerts.standing().iter().map(|alert| Row::Standing(&alert.key));
        standing.chain(context.alerts.past().iter().map(Row::Past)).collect()
    }

    /// The chosen row.
    #[must_use]
    pub fn row<'a>(&self, context: &'a Context) -> Option<Row<'a>> {
        let rows = Self::rows(context);
        rows.get(self.chosen.min(rows.len().saturating_sub(1))).copied()
    }
}
