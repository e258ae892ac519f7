//! The constants that `--set` changes, for people and for programs.

use std::io::Write;

use serde_json::json;

use crate::{constants::Constant, engine::pipeline::Params};

/// Writes all constants as a table or as JSON lines, one a line so that they can be searched.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(json: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if !json {
        let head = ["room", "name", "default", "from..to", "unit"];
        let [room, name, default, range, unit] = head;
        writeln!(out, "{room:<8} {name:<24} {default:>8} {range:>12}  {unit:<20} meaning")?;
    }
    for (room, Constant { name, unit, default, range, meaning }) in Params::list() {
        if json {
            let record = json!({
                "type": "constant", "room": room, "name": name, "default": number(&default), "range": range,
                "unit": unit, "meaning": meaning,
            });
            writeln!(out, "{record}")?;
        } else {
            writeln!(out, "{room:<8} {name:<24} {default:>8} {range:>12}  {unit:<20} {meaning}")?;
        }
    }
    out.flush()
}

/// The number as it is written, not as the nearest one with more digits.
fn number(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}
