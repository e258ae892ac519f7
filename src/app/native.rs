//! What native libraries print, FFmpeg above all, may quote an address with its password. It reaches the standard error
//! through a filter.

use parking_lot::Mutex;

use super::say::complain;
use crate::{logging::NativeOutput, progress::Progress};

static FILTER: Mutex<Option<NativeOutput>> = Mutex::new(None);

/// From now on everything that this process writes to the standard error goes through the filter, and stands beside the
/// line of `progress`. To be called before the first source is opened, and after the program has started itself again.
pub(super) fn take_over(progress: &Progress) {
    let mut filter = FILTER.lock();
    if filter.is_none() {
        let progress = progress.clone();
        match NativeOutput::pass_on(move |print| progress.beside(print)) {
            Ok(begun) => {
                crate::native::stdio::print_to_stderr();
                *filter = Some(begun);
            }
            Err(error) => {
                complain(&format!("warning: what FFmpeg prints cannot be searched for passwords ({error})"));
            }
        }
    }
}

/// Writes what is still in the filter; nothing reaches the standard error afterwards.
pub(super) fn finish() {
    drop(FILTER.lock().take());
}
