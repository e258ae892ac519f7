//! Spans of wall time.

/// A span of wall time, in milliseconds since the Unix epoch: from `from` up to but without `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First moment.
    pub from: i64,
    /// First moment after it.
    pub to: i64,
}

impl Span {
    /// Length in milliseconds, never negative.
    #[must_use]
    pub fn length(self) -> i64 {
        self.to.saturating_sub(self.from).max(0)
    }

    /// What both have in common; empty when that is nothing.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        Self { from, to: self.to.min(other.to).max(from) }
    }
}
