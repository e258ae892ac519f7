//! Whether the sources of a node stand in the fleet as the node has them: asked once for all of them.
//!
//! Asking for each source is a question a source and a second, of which nearly all have the same answer. The stream says of itself
//! how many messages it holds and the number of the last one. While both stay the same nothing was stored, for that raises the
//! number, and nothing was removed, for then there would be fewer. So each source is only asked for after something has changed.

use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use tokio::sync::Mutex;

use super::{FleetError, broker::Broker, term::RENEWAL};
use crate::clock::passed;

/// What a stream holds: two that are equal hold the same messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// When the stream was made, in nanoseconds since 1970: one that was removed and made again counts from 1 again.
    made: i128,
    last: u64,
    messages: u64,
}

/// The stream of the sources, as the tasks of one node ask for it.
pub struct Versions {
    stream: Stream,
    /// Part of [`RENEWAL`] at which this node asks, so that nodes do not ask all at once.
    phase: Duration,
    /// The latest answer, and when it was asked for.
    seen: Mutex<Option<(Duration, Contents)>>,
}

impl Versions {
    /// Of `stream`, for the node of this name.
    #[must_use]
    pub fn new(stream: Stream, node: &str) -> Self {
        let spread = node.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let period = RENEWAL.as_millis() as u64;
        Self { stream, phase: Duration::from_millis(spread % period), seen: Mutex::default() }
    }

    /// How long until the sources of this node are asked for again, all at the same moment: then one answer does for all.
    #[must_use]
    pub fn until_next(&self, now: Duration) -> Duration {
        until_next(now, self.phase)
    }

    /// What the stream holds, as of a moment not before `asked`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn contents(&self, broker: &Broker, asked: Duration) -> Result<Contents, FleetError> {
        let mut seen = self.seen.lock().await;
        if let Some((when, contents)) = *seen
            && when >= asked
        {
            return Ok(contents);
        }
        let when = passed();
        let info = self.stream.get_info().await;
        let info =
            info.map_err(|error| broker.failed("the stream of its sources cannot be asked for", error))?;
        let contents = Contents {
            made: info.created.unix_timestamp_nanos(),
            last: info.state.last_sequence,
            messages: info.state.messages,
        };
        *seen = Some((when, contents));
        Ok(contents)
    }

    /// The number of the message at `subject`; `None` where there is none any more.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn revision(&self, broker: &Broker, subject: &str) -> Result<Option<u64>, FleetError> {
        broker.revision(&self.stream, subject).await
    }
}

fn until_next(now: Duration, phase: Duration) -> Duration {
    let period = RENEWAL.as_nanos();
    let into = (now.as_nanos() + period - phase.as_nanos() % period) % period;
    Duration::from_nanos((period - into) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sources_of_a_node_are_asked_for_at_the_same_moments_a_second_apart() {
        let phase = Duration::from_millis(300);
        let next = |at: u64| at + until_next(Duration::from_millis(at), phase).as_millis() as u64;
        assert_eq!([0, 299, 300, 301, 999, 1_000].map(next), [300, 300, 1_300, 1_300, 1_300, 1_300]);
    }
}
