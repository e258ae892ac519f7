//! Summing up an older ledger before a report.

use std::{path::Path, time::Duration};

use super::{
    lock::Lock,
    open,
    reader::{self, Reader},
    report, sums,
};
use crate::clock::Clock;

/// Sums up the crossings of an older ledger at `path`, where that makes `query` faster and no program counts into it;
/// `goes_on` hears how many are done, and of how many, and says whether to go on; what is done stays done. Blocks for
/// some seconds for each ten million; it pauses by `clock`, so that a program that starts finds the ledger free.
pub fn sum_up(
    path: &Path,
    query: &report::Query,
    clock: &dyn Clock,
    goes_on: &mut dyn FnMut(u64, u64) -> bool,
) {
    const STEP: usize = 50_000;
    /// A program that starts meanwhile must find the ledger free before it loses its patience.
    const HOLD: Duration = Duration::from_millis(300);
    const FREE: Duration = Duration::from_millis(100);
    let length = query.until.as_millisecond().saturating_sub(query.since.as_millisecond());
    if length < reader::LONG || !Reader::open(path).is_ok_and(|reader| !reader.is_summed()) {
        return;
    }
    let (mut done, mut all) = (0, None);
    loop {
        {
            let Ok(_lock) = Lock::take(path) else { return };
            let Ok(mut connection) = open::open(path) else { return };
            let all = *all.get_or_insert_with(|| sums::left(&connection).unwrap_or(0));
            if done == 0 && !goes_on(0, all) {
                return;
            }
            let begun = clock.now();
            while clock.now().saturating_duration_since(begun) < HOLD {
                let Ok(more @ 1..) = sums::sum_more(&mut connection, STEP) else { return };
                done += more as u64;
                if !goes_on(done, all) {
                    return;
                }
            }
        }
        clock.rest(FREE);
    }
}
