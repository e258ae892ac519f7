//! A source with a change that was made on a dashboard, as the node that has it writes it.
//!
//! The node has the key of the fleet and what the entry names; the dashboard has neither. What comes back to the dashboard is sealed
//! like what it replaces, so that no password leaves the node readable. The dashboard stores it by the permissions of its user: a node
//! may not write sources.

use std::sync::Arc;

use super::{
    record::{Edit, Edited},
    seal::{is_sealed, of_fleet},
    state::Shared,
};

/// The message of the source that `edit` names with its change.
///
/// # Errors
/// Why there is none, in a sentence without secrets.
pub fn edited(shared: &Shared, edit: &Edit) -> Result<Edited, String> {
    let Edit { id, change } = edit;
    let held = shared.held.lock().get(id.as_str()).map(Arc::clone);
    let held = held
        .ok_or_else(|| format!("node '{}' does not have source '{id}' any more; try again", shared.name()))?;
    let Some(stored) = &held.message else {
        return Err(format!(
            "this version ({}) does not understand source '{id}'",
            env!("CARGO_PKG_VERSION")
        ));
    };
    let key = shared.options.key.as_deref();
    let opened =
        of_fleet(stored.clone(), key).map_err(|why| format!("source '{id}' cannot be changed: {why}"))?;
    let entry = change.made(&opened.entry, opened.kind, id, &shared.options.base)?;
    let revision = held.epoch.revision;
    if entry == opened.entry {
        return Ok(Edited { revision, ..Edited::default() });
    }
    let mut message = opened;
    message.entry = entry;
    if let Some(key) = key.filter(|_| is_sealed(stored)) {
        message = key.seal_like(stored, &message)?;
    }
    Ok(Edited { revision, message: Some(message), refused: None })
}
