//! Which history are asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use jiff::civil::Date;

use crate::ledger::report::Step;

/// What is asked of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportQuery {
    /// First day.
    pub first: Date,
    /// The first day that is not meant any more.
    pub after: Date,
    /// Time that a row covers.
    pub by: Step,
}
