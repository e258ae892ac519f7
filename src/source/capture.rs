//! The capture thread of one source: opens it, reads it, opens it again when it breaks.
//!
//! [`supervise`] is the only loop that retries; `run_once` is straight-line code. The thread may block in
//! native code up to the source's timeouts; the workers never do.

mod control;

use std::time::{Duration, Instant};

pub use self::control::CaptureControl;
use self::control::Order;

use super::{
    Frame, FrameSource, Opener, SourceError, StreamInfo,
    decode_scheduler::{DecodeScheduler, DecodeTurn, QueuePosition},
    life::{Life, Next, STEADY, Session, WaitState},
    pacer::{FIRST_INTERVAL, Pacer, RateShares},
    resume::StreamPosition,
};
use crate::{
    clock::Clock,
    config::SourceConfig,
    metrics::stages::{Stage, timed},
    model::{FLAPPING, SourceKind},
};

/// A frame of a live source that has waited this long for a worker is replaced by the next one of the stream: what
/// is handled late should not be old as well. The next replacement takes twice as long, and so on, because under
/// overload conversions are better spent on frames that are detected in.
const STALE: Duration = Duration::from_millis(60);

/// Frames come up to this much later than they are due without the reader being behind: a thread that takes a turn of
/// decoding should not wait for its frame in it.
const UNEVEN: Duration = Duration::from_millis(20);

/// A frame that is due later than this is not taken as late: a camera that paused goes on at its old rate.
const FAR: Duration = Duration::from_millis(250);

/// State of a capture thread and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It is being opened.
    Connecting,
    /// It is open.
    Running,
    /// The user has paused it.
    Paused,
    /// It broke off, or could not be opened.
    Retrying {
        /// Attempts that failed in a row; 0 when it delivered frames until now.
        attempt: u32,
        /// When it is opened again.
        at: Instant,
    },
    /// It refuses the credentials.
    AuthFailed {
        /// When it is opened again.
        at: Instant,
    },
    /// Its host has no such stream.
    NoSuchStream {
        /// When it is opened again.
        at: Instant,
    },
    /// It is marked as failed, after `retry.max_attempts`.
    Failed {
        /// When it is opened again.
        at: Instant,
    },
}

/// What the workers are told apart from frames, in its place among them.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The stream was closed or broke off: nobody in the frame is followed any more.
    Disconnected,
    /// Its schedule closes the source: what came before is counted.
    Closed,
    /// The source will send nothing more: a file at its end (`None`) or a source given up.
    Ended(Option<SourceError>),
}

/// The side of a source that its capture thread talks to. All of it is called by that thread.
pub trait Host {
    /// Its state; `error` says why when something went wrong.
    fn reading(&mut self, reading: Reading, error: Option<&SourceError>);
    /// The source is open; `codec` is its codec, where it is known.
    fn opened(&mut self, info: &StreamInfo, codec: Option<String>);
    /// Size to which frames of this size are to be reduced.
    fn working_size(&self, width: u32, height: u32) -> (u32, u32);
    /// So many sessions in a row delivered frames and were short.
    fn short_sessions(&mut self, count: u32) {
        let _ = count;
    }
    /// Something about the stream that the user should know.
    fn remark(&mut self, text: &str) {
        let _ = text;
    }
    /// Shares of its rates that a live source gets.
    fn shares(&mut self) -> RateShares {
        RateShares::WHOLE
    }
    /// Seconds wanted between the last frame of `delivered` and the next, where the cadence is automatic (see
    /// [`Demand`](super::pacer::Demand)). May wait for a worker when the source is not `live`.
    fn interval(&mut self, _delivered: u64, _live: bool) -> f64 {
        FIRST_INTERVAL
    }
    /// Whether nobody needs the frames between the key frames of a live source, which come often enough if `regular`.
    fn may_sleep(&mut self, _regular: bool) -> bool {
        false
    }
    /// Whether something moves in a key frame, compared with those before; the `first` after a time awake is compared with
    /// none.
    fn moves(&mut self, _frame: &Frame, _first: bool) -> bool {
        true
    }
    /// So many frames were passed over on purpose.
    fn skipped(&mut self, frames: u64);
    /// A frame of a live source for the workers, in place of an older one, which is lost.
    fn replace(&mut self, frame: Frame);
    /// A frame that must not be lost; waits until the one before it was taken, or the source is stopped.
    fn put(&mut self, frame: Frame);
    /// When the frame was captured that waits for a worker.
    fn waiting_since(&mut self) -> Option<Instant>;
    /// A newer frame in place of the one that waits. If that was taken meanwhile the newer one is dropped: the worker did
    /// not ask for two.
    fn renew(&mut self, frame: Frame);
    /// Something for the workers to know after the frame that waits.
    fn notify(&mut self, notice: Notice);
}

/// Everything a capture thread needs.
pub struct Capture<'a> {
    /// The source.
    pub source: &'a SourceConfig,
    /// How it is opened.
    pub opener: &'a dyn Opener,
    /// What the user wants.
    pub control: &'a CaptureControl,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Which of the streams that are behind decodes next.
    pub decode_scheduler: &'a DecodeScheduler,
}

/// How one opening of a source came to its end without an error.
enum Ending {
    EndOfFile,
    Order,
}

/// Runs the source until it is over or the user stops it.
pub fn supervise(capture: &Capture<'_>, host: &mut dyn Host) {
    let Capture { source, control, clock, .. } = *capture;
    let mut life = Life::new(source);
    let mut seen = None;
    control.pause_closes(source.kind == SourceKind::Camera);
    loop {
        match control.order() {
            Order::Stop => return,
            Order::Pause => {
                host.reading(Reading::Paused, None);
                control.wait(clock, None, Order::Pause);
                continue;
            }
            Order::Restart => {
                control.take_restart();
                life.forget();
                host.short_sessions(0);
            }
            Order::Run => {}
        }
        // A camera that is marked as failed stays so until it sends a frame.
        if !life.is_marked_failed() {
            host.reading(Reading::Connecting, None);
        }
        let mut open = Open::default();
        let error = match run_once(capture, host, &mut open, &mut seen) {
            Ok(Ending::EndOfFile) => {
                host.notify(Notice::Ended(None));
                return;
            }
            Ok(Ending::Order) => continue,
            // What waited gave up because of an order, which may have been taken back meanwhile.
            Err(SourceError::Interrupted) => {
                host.notify(Notice::Disconnected);
                continue;
            }
            Err(error) => error,
        };
        host.notify(Notice::Disconnected);
        let since = |then: Instant| clock.now().saturating_duration_since(then);
        let session = Session {
            frames: open.frames,
            lasted: open.since.map_or(Duration::ZERO, since),
            awake_for: clock.awoke().map(since),
        };
        if !go_on(capture, host, &error, &session, &mut life) {
            return;
        }
    }
}

/// Waits until the source is to be opened again after `session` ended with `error`; `false` when it never is.
fn go_on(
    capture: &Capture<'_>,
    host: &mut dyn Host,
    error: &SourceError,
    session: &Session,
    life: &mut Life,
) -> bool {
    let Capture { source, control, clock, .. } = *capture;
    let (was_failed, id) = (life.is_marked_failed(), &source.id);
    let Next::Again(delay, shown) = life.next(error, session) else {
        if source.kind == SourceKind::Camera {
            tracing::error!(camera = %id, "Given up after {} attempts: {error}", life.attempts().max(1));
        }
        host.notify(Notice::Ended(Some(error.clone())));
        return false;
    };
    let at = clock.now() + delay;
    let again = format!("attempt {} in {:.1} s", life.attempts() + 1, delay.as_secs_f64());
    let state = match shown {
        WaitState::Blameless => {
            tracing::info!(camera = %id, "The program did not run for a while; reconnecting ({error})");
            control.wait(clock, Some(at), Order::Run);
            return true;
        }
        WaitState::Reconnecting if delay.is_zero() => Reading::Connecting,
        WaitState::Reconnecting => Reading::Retrying { attempt: 0, at },
        WaitState::Retrying(attempt) => Reading::Retrying { attempt, at },
        WaitState::AuthFailed => Reading::AuthFailed { at },
        WaitState::NoSuchStream => Reading::NoSuchStream { at },
        WaitState::Failed => Reading::Failed { at },
    };
    match shown {
        WaitState::Reconnecting => host.short_sessions(life.short_sessions()),
        WaitState::Failed if !was_failed => {
            let attempts = life.attempts();
            tracing::error!(camera = %id, "Marked as failed after {attempts} attempts in a row, still \
                 retrying: {error}; {again}");
        }
        _ => tracing::warn!(camera = %id, "{error}; {again}"),
    }
    if shown == WaitState::Reconnecting && life.short_sessions() >= FLAPPING {
        host.reading(state, Some(&flapping(life.short_sessions(), session, error)));
    } else {
        host.reading(state, Some(error));
    }
    control.wait(clock, Some(at), Order::Run);
    true
}

/// What is said of a camera that ended so many short sessions in a row, the last one with `error`.
fn flapping(count: u32, session: &Session, error: &SourceError) -> SourceError {
    let (frames, seconds) = (session.frames, session.lasted.as_secs_f64());
    SourceError::Flapping(match frames {
        1 => format!(
            "{count} sessions in a row were short, the last one gave a single frame; if the address \
             delivers still images, use the address of the video stream ({error})"
        ),
        _ => format!(
            "{count} sessions in a row were short, the last one of {seconds:.1} s and {frames} frames ({error})"
        ),
    })
}

/// What is known of a session while it goes on.
#[derive(Default)]
struct Open {
    /// When it was opened.
    since: Option<Instant>,
    /// Frames grabbed.
    frames: u64,
    /// Whether it was told that the session is a long one.
    is_steady: bool,
}

/// One session with the source, from its opening on; `seen` is where the one before stood, then where this one does.
fn run_once(
    capture: &Capture<'_>,
    host: &mut dyn Host,
    open: &mut Open,
    seen: &mut Option<StreamPosition>,
) -> Result<Ending, SourceError> {
    let Capture { source, control, clock, .. } = *capture;
    let mut stream = open_stream(capture)?;
    if let Some(seen) = *seen {
        stream.resume(seen);
    }
    let info = stream.info();
    host.opened(&info, stream.codec());
    host.reading(Reading::Running, None);
    let opened_at = clock.now();
    open.since = Some(opened_at);
    let mut pacer = Pacer::new(source.cadence);
    let (mut delivered, mut stale_after, mut place) = (0, STALE, QueuePosition::default());
    let mut was_asleep = false;
    loop {
        *seen = stream.seen().or(*seen);
        match control.order() {
            Order::Run => {}
            Order::Pause if !info.live => {
                host.reading(Reading::Paused, None);
                control.wait(clock, None, Order::Pause);
                if control.order() == Order::Run {
                    host.reading(Reading::Running, None);
                }
                continue;
            }
            _ => {
                host.notify(Notice::Disconnected);
                return Ok(Ending::Order);
            }
        }
        if info.live && source.sleep && stream.can_sleep() {
            let allowed = host.may_sleep(stream.is_regular());
            stream.sleep(allowed);
        }
        let turn = if info.live { take_turn(capture, stream.due(), &mut place) } else { None };
        let grabbed = timed(Stage::Decode, || stream.grab());
        drop(turn);
        if let Some(text) = stream.remark() {
            host.remark(&text);
        }
        if !grabbed? {
            if !info.live || source.kind == SourceKind::Video {
                return Ok(Ending::EndOfFile);
            }
            return Err(SourceError::Broken("the camera closed the stream".into()));
        }
        open.frames += 1;
        if !open.is_steady && clock.now().saturating_duration_since(opened_at) >= STEADY {
            open.is_steady = true;
            host.short_sessions(0);
        }
        let is_first = !std::mem::replace(&mut was_asleep, stream.is_asleep());
        if stream.is_asleep() {
            let frame = retrieve(host, stream.as_mut())?;
            if host.moves(&frame, is_first) {
                stream.wake();
                continue;
            }
            host.skipped(stream.stay_asleep());
            host.replace(frame);
            delivered += 1;
            continue;
        }
        let shares = if info.live { host.shares() } else { RateShares::WHOLE };
        let last = stream.is_last() && pacer.wants_last();
        if last || pacer.wants(stream.time(), shares, || host.interval(delivered, info.live)) {
            let frame = retrieve(host, stream.as_mut())?;
            if info.live && !stream.is_owed() {
                host.replace(frame);
            } else {
                host.put(frame);
            }
            (delivered, stale_after) = (delivered + 1, STALE);
        } else {
            let stale = |since| clock.now().saturating_duration_since(since) >= stale_after;
            if info.live && host.waiting_since().is_some_and(stale) {
                let frame = retrieve(host, stream.as_mut())?;
                host.renew(frame);
                stale_after *= 2;
            }
            host.skipped(1);
        }
    }
}

fn open_stream(capture: &Capture<'_>) -> Result<Box<dyn FrameSource>, SourceError> {
    capture.opener.open(capture.source, &capture.control.interrupt())
}

/// Waits for a turn to decode where the frame that was `due` is there, or others wait for theirs.
fn take_turn<'a>(
    capture: &Capture<'a>,
    due: Option<Instant>,
    place: &mut QueuePosition,
) -> Option<DecodeTurn<'a>> {
    let Capture { control, clock, decode_scheduler, .. } = *capture;
    let (surely_there, now) = (due? + UNEVEN, clock.now());
    if surely_there > now {
        if !decode_scheduler.are_waited_for() {
            return None;
        }
        control.wait(clock, Some(surely_there.min(now + FAR)), Order::Run);
    }
    Some(decode_scheduler.take(place, clock))
}

fn retrieve(host: &dyn Host, stream: &mut dyn FrameSource) -> Result<Frame, SourceError> {
    timed(Stage::Convert, || stream.retrieve(&|width, height| host.working_size(width, height)))
}

#[cfg(test)]
mod tests;
