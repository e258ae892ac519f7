//! Packets of a live stream that may repeat what an earlier session gave: they are held back until that is known.

use std::{collections::VecDeque, mem, time::Duration};

use super::{open::Opened, read_mode::ReadMode};
use crate::{
    native::ffmpeg::Packet,
    source::resume::{Comparison, Stand, StreamPosition, Verdict},
};

/// Containers whose stamps are the server's own and not made for one session with it, by the beginnings of their names.
const STAMPED: [&str; 4] = ["hls", "dash", "mpegts", "flv"];

/// Bytes that are held back at most.
const MOST: usize = 32 << 20;

/// What is known of the earlier session, and where this one stands.
#[derive(Default)]
pub struct Repeats {
    is_stamped: bool,
    stand: Stand,
    comparison: Option<Comparison>,
    held: VecDeque<Packet>,
    bytes: usize,
    released: VecDeque<Packet>,
    /// Frames up to this stamp, in seconds, were given.
    until: Option<f64>,
}

impl Repeats {
    pub fn new(mode: ReadMode, opened: &Opened) -> Self {
        let format = opened.input.format();
        let is_stamped = mode == ReadMode::Live && STAMPED.iter().any(|name| format.starts_with(name));
        Self { is_stamped, ..Self::default() }
    }

    /// What was given is not to be given again.
    pub fn resume(&mut self, seen: StreamPosition) {
        self.comparison = self.is_stamped.then(|| Comparison::new(seen));
    }

    /// Takes note of a packet that was read, with this stamp in seconds, at this uptime of the machine, and keeps it if it cannot be told yet whether it
    /// comes again.
    pub fn holds(&mut self, packet: &mut Packet, stamp: f64, arrival: Duration) -> bool {
        if !self.is_stamped {
            return false;
        }
        let arrival = arrival.as_secs_f64();
        self.stand.note(stamp, arrival);
        let Some(comparison) = &mut self.comparison else { return false };
        let verdict = comparison.judge(stamp, arrival);
        self.bytes += packet.size();
        self.held.push_back(mem::replace(packet, Packet::empty()));
        match verdict {
            Verdict::Open if self.bytes <= MOST => {}
            Verdict::Again(until) => {
                self.until = Some(until);
                self.release();
            }
            Verdict::Open | Verdict::New => {
                self.release();
            }
        }
        true
    }

    /// Whatever it is, what is held back is read now; `false` where nothing is.
    pub fn release(&mut self) -> bool {
        (self.comparison, self.bytes) = (None, 0);
        self.released.append(&mut self.held);
        !self.released.is_empty()
    }

    /// The next packet that was held back and is not any more.
    pub fn released(&mut self) -> Option<Packet> {
        self.released.pop_front()
    }

    /// Whether the next frame, with this stamp in seconds, was given. After one that was not, none was.
    pub fn comes_again(&mut self, stamp: f64) -> bool {
        let was_given = self.until.is_some_and(|until| stamp <= until);
        if !was_given {
            self.until = None;
        }
        was_given
    }

    /// Where the stream stands when all frames up to this stamp, in seconds, were given.
    pub fn seen(&self, until: f64) -> Option<StreamPosition> {
        self.stand.seen(until)
    }
}
