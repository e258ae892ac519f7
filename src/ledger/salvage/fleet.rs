//! Rows of a fleet out of a damaged ledger: what was not sent is sent, what was collected is not counted again.

use rusqlite::{Connection, params_from_iter, types};

use super::pages::{RowLocation, Value};

/// Leases are found by their number, which the others name.
const LEASE: &str = "INSERT OR IGNORE INTO leases VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
/// With a place of its own in the new ledger.
const OUTGOING: &str = "INSERT OR IGNORE INTO fleet_outbox \
    (source, revision, delivery, began_ms, kind, seq, wall_ms, offset_ms, detail) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const COLLECTING: &str = "INSERT INTO collecting SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM collecting)";
const COLLECTED: &str = "INSERT OR IGNORE INTO collected VALUES (?1, ?2, ?3, ?4)";
const UNCOUNTED: &str = "INSERT OR IGNORE INTO uncounted VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// A row of a fleet, and how it is written.
pub struct FleetRow {
    insert: &'static str,
    values: Vec<types::Value>,
}

impl FleetRow {
    /// Which row of a fleet `values` are, by their number and kinds.
    pub fn of(place: RowLocation, values: &[Value]) -> Option<Self> {
        use Value::{Int, Null, Real, Text};
        let (insert, first) = match (place, values) {
            (
                RowLocation::Table(_),
                [Null, Text(_), Text(_), Int(_), Int(_), Int(_), Null | Int(_), Int(_), Int(_), Int(_)],
            ) => (LEASE, 0),
            (
                RowLocation::Table(_),
                [Null, Text(_), Int(_), Int(_), Int(_), Text(_), Int(_), Int(_), Null | Int(_), Text(_)],
            ) => (OUTGOING, 1),
            // The only name that is made of hexadecimal digits; see `collected`.
            (RowLocation::Table(_), [Text(name), Int(_)])
                if name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                (COLLECTING, 0)
            }
            (RowLocation::Index, [Int(_), Int(_), Null, Null] | [Int(_), Int(_), Int(_), Int(_)]) => {
                (COLLECTED, 0)
            }
            (
                RowLocation::Index,
                [
                    Int(_),
                    Int(_),
                    Int(_),
                    Text(_),
                    Int(1 | -1),
                    Int(_),
                    Int(_) | Real(_),
                    Int(_) | Real(_),
                    Text(_),
                ],
            ) => (UNCOUNTED, 0),
            _ => return None,
        };
        let mut values: Vec<types::Value> = values[first..].iter().map(value).collect();
        if let (LEASE, RowLocation::Table(id)) = (insert, place) {
            // The number of a row stands beside it.
            values[0] = types::Value::Integer(id);
        }
        Some(Self { insert, values })
    }

    /// Brings it into the new ledger.
    pub fn write(&self, change: &Connection) -> rusqlite::Result<()> {
        change.prepare_cached(self.insert)?.execute(params_from_iter(&self.values)).map(drop)
    }
}

fn value(value: &Value) -> types::Value {
    match value {
        Value::Null | Value::Blob => types::Value::Null,
        Value::Int(value) => types::Value::Integer(*value),
        Value::Real(value) => types::Value::Real(*value),
        Value::Text(value) => types::Value::Text(value.clone()),
    }
}
