//! The dashboard as `bench` draws it: with everything but a terminal.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::tz::TimeZone;
use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, layout::Rect};

use crate::{
    bench::Screen,
    config::Theme as ThemeChoice,
    engine::EngineApi,
    host::Host,
    tui::{
        format::Moment,
        keymap::Keymap,
        session::Session,
        symbols,
        theme::{Palette, Theme},
        widgets::Look,
    },
};

/// Size of the terminal drawn for.
const AREA: Rect = Rect { x: 0, y: 0, width: 120, height: 40 };

/// Counts what a terminal would receive.
struct Counted(Arc<AtomicU64>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct NoHost;

impl Host for NoHost {
    fn export(&self) -> Result<String, String> {
        Err("nothing is written while measuring".into())
    }
}

/// The overview of `engine`, in 256 colors.
pub(super) fn screen(engine: Arc<dyn EngineApi>) -> Box<Screen> {
    let (keymap, _) = Keymap::new(&BTreeMap::new());
    let moment = Moment::now(&TimeZone::UTC);
    let mut session = Session::new(engine, Arc::new(NoHost), keymap, &[], true, moment);
    let look =
        Look { theme: Theme::new(Palette::Ansi256, ThemeChoice::default()), symbols: symbols::UNICODE };
    let bytes = Arc::new(AtomicU64::new(0));
    let backend = CrosstermBackend::new(Counted(Arc::clone(&bytes)));
    let options = TerminalOptions { viewport: Viewport::Fixed(AREA) };
    let mut terminal = Terminal::with_options(backend, options).ok();
    Box::new(move || {
        session.refresh(Moment::now(&TimeZone::UTC));
        if let (true, Some(terminal)) = (session.ui.context.take_changed(), &mut terminal) {
            // Counting cannot fail.
            let _ = terminal.draw(|frame| session.ui.draw(frame, &look));
        }
        bytes.load(Ordering::Relaxed)
    })
}
