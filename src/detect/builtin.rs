//! The model inside the program.

use std::sync::Arc;

use super::{DetectError, Model};

/// The embedded model; `None` in a build that carries none.
///
/// # Errors
/// When no engine can run it.
pub(super) fn load(contexts: usize) -> Result<Option<Arc<dyn Model>>, DetectError> {
    let _ = contexts;
    Ok(None)
}
