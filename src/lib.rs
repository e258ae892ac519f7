//! Counts people who cross lines in many cameras and videos at once.
//!
//! One picture explains the program:
//!
//! ```text
//! source -> frames -> detect -> track -> count -> store -> screen
//!
//! camera / file -> capture thread -> inbox of -> ready queue -> rayon worker -> actor: -> snapshot -> TUI / headless
//! (one per open     opens, reads,    the source  by priority,    detect, track  owns the
//!  source; may      reconnects,      (1 frame,   then FIFO,      and count, on  source     `-> results -> aggregator
//!  block)           never a worker   newest      one unit        a pipeline                    -> outputs: CSV, ledger ..
//!                                    wins; files a source        used by it
//!                                    wait)
//! ```
//!
//! The engine knows nothing of the terminal and the terminal knows nothing of OpenCV; between them stands
//! one small immutable [`model::SourceSnapshot`] per source. [`model`] holds the vocabulary of all rooms and names
//! none of them but [`geometry`], whose points and boxes are words too. `docs/architecture.md` says what each room is
//! for, `docs/rooms.md` which uses which.
//! There is no circle between rooms, and none between the files of a room: a file that passes on what its children
//! define uses none of it, or they use nothing of its own.
//!
//! **What is public.** [`engine`] runs sources and counts; it is set up with [`config`], speaks the words of [`model`] and
//! [`geometry`], and counts with [`track`] and [`count`], which also serve alone, on boxes from anywhere. All other rooms are
//! private: the program `pcount-tui` is made of them, and they change without notice. So does what the feature `internals`
//! shows of them to the project's own tests. Enums that will grow, and records that only the library makes, are
//! `non_exhaustive`; settings have a default to start from (`..Default::default()`). No type of OpenCV, clap or rayon is part of
//! the interface.
//!
//! **Units.** Every box and point between detection and counting is measured in *frame heights*: a pixel
//! coordinate divided by the height of the picture, so `y` runs 0..1 and `x` runs 0..aspect (width / height).
//! The unit is isotropic and does not change with resolution. Only the configuration uses 0..1 of width and
//! height. Time is in seconds (`f64`) on the source's own clock: media time of a file, monotonic time of a
//! camera. Nothing is measured in pixels or in numbers of frames. What needs the time is given a `Clock`, so
//! that tests run hours in moments; `tests/architecture/clocks.rs` lists the files that read the machine's clocks.
//!
//! **One engine, many front ends.** What is shown, asked and answered is plain data ([`model`] and the private room `protocol`), so
//! it travels: `api` serves an engine over HTTP on a Unix socket in its output folder, `remote` is the same engine as a client,
//! and the terminal does not know the difference: it goes by [`engine::EngineApi`] and by the `Host` of the room `host`, what the
//! program around the engine can be asked. Both rooms have an asynchronous runtime; nothing else has one.
//!
//! **A source is an actor.** Frames, notices and commands come to its one inbox; the actor handles them one at a time and owns
//! all that changes, the pipeline too, which a worker has for the time of a frame. Where the source stands is one value with a pure
//! next state. A thread of its own, the coordinator, keeps the list of sources, follows orders and obeys what no worker is
//! at; no caller waits for it.
//!
//! **Where it departs from the usual.** A worker is a numbered slot of the live worker limit, not a thread of
//! the pool: whichever thread is free works under that number. Results are reported once a second, at
//! crossings, at changes of state and at the end, not at every frame. Totals of cameras go on after a
//! restart, and so does what was learned of their scenes; those of videos begin at zero and know nothing, so that a file gives
//! the same counts on every run. Contexts of
//! ONNX Runtime do not share their weights: its sessions cannot be run by two threads at once here.

mod api;
mod app;
mod audit;
mod bench;
mod cadence;
mod calibration;
mod cli;
mod clock;
pub mod config;
mod constants;
pub mod count;
mod detect;
mod doctor;
pub mod engine;
mod eval;
mod evidence;
mod files;
mod fleet;
pub mod geometry;
mod headless;
mod host;
mod ledger;
mod logging;
mod metrics;
pub mod model;
mod native;
mod outputs;
mod progress;
mod protocol;
mod remote;
mod source;
mod store;
pub mod track;
mod trust;
mod tui;

/// Runs the `pcount-tui` command. For `src/main.rs` alone.
#[doc(hidden)]
#[must_use]
pub fn main() -> std::process::ExitCode {
    app::run()
}

/// What the project's own tests and benches use of the private rooms. No promise: it changes without notice.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    macro_rules! rooms {
        ($($room:ident)*) => {
            $(
                #[doc = concat!("What `", stringify!($room), "` shows the other rooms.")]
                pub mod $room {
                    pub use crate::$room::*;
                }
            )*
        };
    }

    rooms!(audit cadence clock detect evidence headless host ledger logging metrics native outputs source tui);

    /// Makes `secret` known to the process as one that nothing shows.
    pub fn hide(secret: &str) {
        crate::config::known().learn(secret);
    }

    /// What `fleet` and `remote` show of a fleet as one engine.
    pub mod fleet {
        pub use crate::{
            fleet::{Node, NodeOptions, NodeRecord, Server},
            remote::{FleetServer, Remote},
        };
    }

    /// Changes to the configuration file.
    pub mod edit {
        pub use crate::config::edit::*;
    }
}

#[cfg(test)]
#[path = "../tests/support/require.rs"]
mod require;
