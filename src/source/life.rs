//! The rules of a source's life: what follows when a session with it ends. Pure.
//!
//! A camera is never lost for good: whatever goes wrong with it may pass. Only [`RetryConfig::give_up`] ends it. A
//! video file ends with its first error, unless the error is the machine's and not the file's.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use super::{SourceError, backoff::Backoff};
use crate::{
    config::{RetryConfig, SourceConfig},
    model::SourceKind,
};

/// A session that lasted this long was no short one.
pub const STEADY: Duration = Duration::from_mins(1);

/// Shortest time from one opening to the next of a camera whose sessions deliver frames and break off: the first, doubled
/// with each short session, and the longest.
const CYCLE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// A camera that refuses a password is asked again no sooner than this, doubled each time up to the second: cameras
/// lock accounts after a few wrong passwords, and refuse right ones while they boot.
const REFUSED: (Duration, Duration) = (Duration::from_secs(15), Duration::from_mins(1));

/// Errors this long after the program stood still (suspended, frozen) are blamed on that: servers have ended their
/// sessions meanwhile and networks come back by and by.
pub const AWAKENING: Duration = Duration::from_secs(30);

/// What is known of one session with a source, from the attempt to open it to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// Frames it delivered, with or without a detection run.
    pub frames: u64,
    /// How long it was open.
    pub lasted: Duration,
    /// Time since the program went on after it had stood still, if ever it had.
    pub awake_for: Option<Duration>,
}

/// What comes after a session that ended with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the source is over.
    Over,
    /// It is opened again after this long, and shown as this meanwhile.
    Again(Duration, WaitState),
}

/// How a source is shown between two sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitState {
    /// Nothing is wrong with it.
    Blameless,
    /// It delivered frames until now.
    Reconnecting,
    /// The attempt failed, the so-many-th in a row.
    Retrying(u32),
    /// It refuses the credentials.
    AuthFailed,
    /// It has no such stream.
    NoSuchStream,
    /// More attempts failed in a row than `max_attempts`.
    Failed,
}

/// What one source has been through.
#[derive(Debug)]
pub struct Life {
    kind: SourceKind,
    retry: RetryConfig,
    has_credentials: bool,
    backoff: Backoff,
    refusals: u32,
    short_sessions: u32,
}

impl Life {
    /// The beginning.
    #[must_use]
    pub fn new(source: &SourceConfig) -> Self {
        let mut hasher = DefaultHasher::new();
        source.id.hash(&mut hasher);
        let backoff = Backoff::new(source.retry, hasher.finish());
        let has_credentials = source.source.has_secret();
        Self {
            kind: source.kind,
            retry: source.retry,
            has_credentials,
            backoff,
            refusals: 0,
            short_sessions: 0,
        }
    }

    /// Attempts that failed in a row.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.backoff.attempts()
    }

    /// Whether so many attempts failed that the source is marked as failed.
    #[must_use]
    pub fn is_marked_failed(&self) -> bool {
        self.backoff.is_exhausted()
    }

    /// Sessions in a row that delivered frames and were short.
    #[must_use]
    pub fn short_sessions(&self) -> u32 {
        self.short_sessions
    }

    /// Forgets what failed: the user asks for a fresh start.
    pub fn forget(&mut self) {
        self.backoff.reset();
        (self.refusals, self.short_sessions) = (0, 0);
    }

    /// What follows when `session` ended with `error`.
    pub fn next(&mut self, error: &SourceError, session: &Session) -> Next {
        if let Some(delay) = self.excused(session) {
            return Next::Again(delay, WaitState::Blameless);
        }
        let is_machine = matches!(error, SourceError::System(_));
        // A file does not come back by itself, and one that broke off half-way would be counted twice.
        if self.kind == SourceKind::Video && !(is_machine && session.frames == 0) {
            return Next::Over;
        }
        if session.frames > 0 {
            self.backoff.reset();
            self.refusals = 0;
            self.short_sessions =
                if session.lasted >= STEADY { 0 } else { self.short_sessions.saturating_add(1) };
            let doublings = self.short_sessions.saturating_sub(1).min(16);
            let cycle = (CYCLE.0 * (1 << doublings)).min(CYCLE.1);
            return Next::Again(cycle.saturating_sub(session.lasted), WaitState::Reconnecting);
        }
        let delay = self.backoff.next_delay();
        let is_last = self.retry.give_up || self.kind == SourceKind::Video;
        if self.is_marked_failed() && is_last {
            return Next::Over;
        }
        let refused = match error {
            SourceError::Auth if self.has_credentials => {
                self.refusals = self.refusals.saturating_add(1);
                (REFUSED.0 * (1 << (self.refusals - 1).min(8))).min(REFUSED.1)
            }
            _ => Duration::ZERO,
        };
        let shown = match error {
            _ if self.is_marked_failed() => WaitState::Failed,
            SourceError::Auth => WaitState::AuthFailed,
            SourceError::NoSuchStream(_) => WaitState::NoSuchStream,
            _ => WaitState::Retrying(self.attempts()),
        };
        Next::Again(delay.max(refused), shown)
    }

    /// How long to wait when the end is the fault of nobody but a program that stood still.
    fn excused(&self, session: &Session) -> Option<Duration> {
        let awakening = session.awake_for.is_some_and(|time| time < AWAKENING);
        let delay = if session.frames > 0 { Duration::ZERO } else { self.retry.initial };
        (self.kind == SourceKind::Camera && awakening).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Credentials, Secret, SourceSpec};

    fn source(kind: SourceKind, give_up: bool) -> SourceConfig {
        let mut config = SourceConfig::new("cam", kind, SourceSpec::Demo("x".into()));
        let (initial, max) = (Duration::from_secs(1), Duration::from_secs(30));
        config.retry = RetryConfig { max_attempts: 3, initial, max, give_up };
        config
    }

    fn session(frames: u64, seconds: f64) -> Session {
        Session { frames, lasted: Duration::from_secs_f64(seconds), awake_for: None }
    }

    fn failures() -> [SourceError; 9] {
        [
            SourceError::NotFound("x".into()),
            SourceError::Unreachable("503".into()),
            SourceError::Auth,
            SourceError::NoSuchStream("404".into()),
            SourceError::Unsupported("a page".into()),
            SourceError::NoVideo("a page".into()),
            SourceError::Stalled(Duration::from_secs(9)),
            SourceError::Broken("cut".into()),
            SourceError::System("no more threads".into()),
        ]
    }

    #[test]
    fn no_failure_of_a_camera_ends_it_and_each_is_tried_again() {
        for error in failures() {
            let mut life = Life::new(&source(SourceKind::Camera, false));
            for attempt in 1..200 {
                let Next::Again(delay, shown) = life.next(&error, &Session::default()) else {
                    panic!("'{error}' ended the camera")
                };
                assert!(delay <= Duration::from_secs(36), "{error}: {delay:?}");
                assert_eq!(shown == WaitState::Failed, attempt >= 3, "{error}, attempt {attempt}: {shown:?}");
            }
        }
    }

    #[test]
    fn a_camera_marked_as_failed_is_tried_at_the_longest_delay_and_is_well_after_one_frame() {
        let mut life = Life::new(&source(SourceKind::Camera, false));
        let error = SourceError::Unreachable("refused".into());
        let delays: Vec<_> = (0..4)
            .map(|_| match life.next(&error, &Session::default()) {
                Next::Again(delay, _) => delay.as_secs_f64(),
                Next::Over => f64::NAN,
            })
            .collect();
        for (delay, expected) in delays.iter().zip([1.0, 2.0, 30.0, 30.0]) {
            assert!((expected * 0.8..=expected * 1.2).contains(delay), "{delays:?}");
        }
        assert!(life.is_marked_failed());
        life.next(&SourceError::Broken("cut".into()), &session(1, 5.0));
        assert!(!life.is_marked_failed());
        assert_eq!(life.attempts(), 0);
    }

    #[test]
    fn only_give_up_ends_a_camera_after_its_attempts() {
        for error in failures() {
            let mut life = Life::new(&source(SourceKind::Camera, true));
            let attempts = (1..9).find(|_| life.next(&error, &Session::default()) == Next::Over);
            assert_eq!(attempts, Some(3), "{error}");
        }
        let mut endless = source(SourceKind::Camera, true);
        endless.retry.max_attempts = 0;
        let mut life = Life::new(&endless);
        assert!((0..500).all(|_| life.next(&SourceError::Auth, &Session::default()) != Next::Over));
    }

    #[test]
    fn a_file_ends_with_its_first_error_but_waits_for_a_machine_that_refuses_handles() {
        for error in failures() {
            let mut life = Life::new(&source(SourceKind::Video, false));
            let over = life.next(&error, &Session::default()) == Next::Over;
            assert_eq!(over, !matches!(error, SourceError::System(_)), "{error}");
            assert_eq!(life.next(&error, &session(5, 1.0)), Next::Over, "{error} half-way");
        }
        let mut life = Life::new(&source(SourceKind::Video, false));
        let error = SourceError::System("no more open files".into());
        assert_eq!((1..9).find(|_| life.next(&error, &Session::default()) == Next::Over), Some(3));
    }

    #[test]
    fn a_session_with_frames_is_no_failed_attempt_and_the_next_one_comes_at_once() {
        let mut life = Life::new(&source(SourceKind::Camera, true));
        let error = SourceError::Broken("closed".into());
        for number in 1..50 {
            assert_eq!(
                life.next(&error, &session(60, 4.0)),
                Next::Again(Duration::ZERO, WaitState::Reconnecting)
            );
            assert_eq!((life.attempts(), life.short_sessions()), (0, number));
        }
        life.next(&error, &session(6000, 400.0));
        assert_eq!(life.short_sessions(), 0);
    }

    #[test]
    fn sessions_of_one_frame_do_not_make_the_program_spin() {
        let mut life = Life::new(&source(SourceKind::Camera, false));
        let delays: Vec<_> = (0..7)
            .map(|_| match life.next(&SourceError::Broken("closed".into()), &session(1, 0.05)) {
                Next::Again(delay, _) => delay.as_millis(),
                Next::Over => 0,
            })
            .collect();
        assert_eq!(delays, [50, 150, 350, 750, 950, 950, 950]);
    }

    #[test]
    fn a_refused_password_is_tried_rarely_and_where_there_is_none_to_lock_as_anything_else() {
        let mut locked = source(SourceKind::Camera, false);
        locked.retry.max_attempts = 0;
        let address = url::Url::parse("rtsp://cam/live").unwrap();
        let credentials = Some(Credentials { user: "u".into(), password: Secret("p".into()) });
        let open =
            SourceConfig { source: SourceSpec::Url { address, credentials, hidden: None }, ..locked.clone() };
        let seconds = |config: &SourceConfig| -> Vec<f64> {
            let mut life = Life::new(config);
            let mut next = || life.next(&SourceError::Auth, &Session::default());
            (0..4)
                .map(|_| match next() {
                    Next::Again(delay, WaitState::AuthFailed) => delay.as_secs_f64().round(),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(seconds(&open), [15.0, 30.0, 60.0, 60.0]);
        assert!(seconds(&locked).iter().all(|delay| *delay <= 10.0));
    }

    #[test]
    fn nobody_is_blamed_for_a_program_that_stood_still() {
        let awake = |frames, seconds| Session {
            awake_for: Some(Duration::from_secs(seconds)),
            ..session(frames, 1.0)
        };
        let broken = SourceError::Broken("reset by peer".into());
        let (now, soon) = (Duration::ZERO, Duration::from_secs(1));
        let mut camera = Life::new(&source(SourceKind::Camera, true));
        for _ in 0..20 {
            assert_eq!(camera.next(&broken, &awake(9, 2)), Next::Again(now, WaitState::Blameless));
            assert_eq!(camera.next(&broken, &awake(0, 9)), Next::Again(soon, WaitState::Blameless));
        }
        assert_eq!((camera.attempts(), camera.short_sessions()), (0, 0));
        assert!(matches!(camera.next(&broken, &awake(0, 31)), Next::Again(_, WaitState::Retrying(1))));
        let mut file = Life::new(&source(SourceKind::Video, false));
        assert_eq!(file.next(&broken, &awake(0, 1)), Next::Over, "a damaged file stays one");
    }
}
