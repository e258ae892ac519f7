//! Whether the broker is there.

use std::time::Instant;

use parking_lot::Mutex;

/// How it stands with the broker.
#[derive(Default)]
pub(super) struct Status(pub Mutex<Standing>);

/// Whether it is there.
#[derive(Default)]
pub(super) enum Standing {
    /// Connected, or tried for the first time.
    #[default]
    Well,
    /// Away for this reason, and tried again then.
    Away(String, Instant),
}

impl Status {
    /// What is said of it at the time `now`, while it is away.
    pub fn notice(&self, now: Instant) -> Option<String> {
        match &*self.0.lock() {
            Standing::Well => None,
            Standing::Away(reason, at) => {
                let left = at.saturating_duration_since(now).as_secs_f64().ceil();
                Some(format!("MQTT: {reason}; next attempt in {left} s"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_notice_counts_down_to_the_next_attempt() {
        let (status, now) = (Status::default(), Instant::now());
        assert_eq!(status.notice(now), None);
        *status.0.lock() = Standing::Away("'h:1' does not answer".into(), now + Duration::from_secs(9));
        assert_eq!(status.notice(now).unwrap(), "MQTT: 'h:1' does not answer; next attempt in 9 s");
        assert!(status.notice(now + Duration::from_secs(10)).unwrap().ends_with("in 0 s"));
    }
}
