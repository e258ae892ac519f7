//! The whole front end without a terminal: keys in, text with its styles out.

use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

use pcount::{
    config::Theme as ThemeChoice,
    engine::EngineApi,
    internals::host::ConfigPlace,
    internals::tui::{
        effect::TerminalWork,
        keymap::{Key, Keymap},
        session::Session,
        symbols::{ASCII, UNICODE},
        theme::{Palette, Theme},
        widgets::Look,
    },
    model::{AreaSnapshot, Drift, SourceSnapshot},
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::fake::{FakeEngine, FakeHost, TAKEN, later, moment};

pub struct Stage {
    pub engine: Arc<FakeEngine>,
    pub host: Arc<FakeHost>,
    pub session: Session,
    pub look: Look,
    elapsed: Duration,
}

impl Stage {
    pub fn new(sources: Vec<SourceSnapshot>) -> Self {
        Self::with(sources, false, None)
    }

    pub fn read_only(sources: Vec<SourceSnapshot>) -> Self {
        Self::with(sources, true, None)
    }

    /// Charts cannot be read, for this reason, from the start.
    pub fn unread(sources: Vec<SourceSnapshot>, why: &str) -> Self {
        Self::with(sources, false, Some(why.to_owned()))
    }

    fn with(sources: Vec<SourceSnapshot>, read_only: bool, unread: Option<String>) -> Self {
        let engine = FakeEngine::new(sources);
        let api: Arc<dyn EngineApi> = engine.clone();
        let keymap = Keymap::new(&BTreeMap::new()).0;
        let host = FakeHost::new();
        *host.unread.lock() = unread;
        let session = Session::new(api, host.clone(), keymap, &[], read_only, moment());
        let look = Look { theme: Theme::new(Palette::Ansi256, ThemeChoice::Dark), symbols: UNICODE };
        Self { engine, host, session, look, elapsed: Duration::ZERO }
    }

    /// Started with a configuration file.
    pub fn configured(mut self) -> Self {
        *self.host.place.lock() = ConfigPlace::File("cams.json".into());
        self.tick();
        self
    }

    /// With an area over its threshold, and one that more people have left than entered.
    pub fn with_areas(mut self) -> Self {
        let corrected = Some(1_773_460_860_000);
        let hall = AreaSnapshot {
            name: "hall".into(),
            inside: 112,
            total_in: 140,
            total_out: 28,
            capacity: Some(120),
            threshold: Some(100),
            is_over: true,
            corrected,
            drift: Drift::of([(3, 0, 60), (3, 0, 140)]),
            ..AreaSnapshot::default()
        };
        let yard = AreaSnapshot {
            name: "yard".into(),
            inside: -2,
            total_in: 4,
            total_out: 6,
            known: 1_773_460_860_000,
            ..AreaSnapshot::default()
        };
        self.engine.change(|snapshot| snapshot.areas = Arc::new(vec![hall, yard]));
        self.tick();
        self
    }

    pub fn colors(mut self, palette: Palette, choice: ThemeChoice) -> Self {
        self.look.theme = Theme::new(palette, choice);
        self
    }

    pub fn ascii(mut self) -> Self {
        self.look.symbols = ASCII;
        self
    }

    /// Presses keys: characters as they are, others by name in angle brackets, as in `/cam<enter>jj<space>`.
    /// Returns what only the owner of a terminal could do.
    pub fn keys(&mut self, keys: &str) -> Vec<TerminalWork> {
        let mut left = Vec::new();
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let name =
                if let Some((name, tail)) = rest.strip_prefix('<').and_then(|tail| tail.split_once('>')) {
                    rest = tail;
                    name.to_string()
                } else {
                    rest = &rest[first.len_utf8()..];
                    if first == ' ' { "space".into() } else { first.to_string() }
                };
            let key = Key::parse(&name).unwrap_or_else(|| panic!("no key '{name}'"));
            left.extend(self.session.key(key));
        }
        left
    }

    /// Time passes and the engine is looked at again.
    pub fn pass(&mut self, time: Duration) {
        self.elapsed += time;
        self.engine.snapshot.lock().taken = TAKEN + self.elapsed;
        self.session.refresh(later(self.elapsed));
    }

    pub fn tick(&mut self) {
        self.pass(Duration::ZERO);
    }

    /// Waits for the answer of a background thread to show.
    pub fn wait_for(&mut self, text: &str) {
        let end = std::time::Instant::now() + Duration::from_mins(1);
        while !self.text(80, 24).contains(text) {
            assert!(std::time::Instant::now() < end, "waited in vain for {text}\n{}", self.text(80, 24));
            std::thread::yield_now();
            self.tick();
        }
    }

    pub fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.session.ui.draw_in(area, &mut buffer, &self.look);
        buffer
    }

    /// Column and row of the caret, while text is typed.
    pub fn caret(&mut self, width: u16, height: u16) -> Option<(u16, u16)> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.session.ui.draw_in(area, &mut buffer, &self.look).map(|at| (at.x, at.y))
    }

    /// The text alone.
    pub fn text(&mut self, width: u16, height: u16) -> String {
        text(&self.buffer(width, height))
    }

    /// The message in the footer.
    pub fn said(&self) -> String {
        self.session.ui.context.toast().map(|toast| toast.text.clone()).unwrap_or_default()
    }

    /// Text and, below it, which columns of which row have which style.
    pub fn picture(&mut self, width: u16, height: u16) -> String {
        let buffer = self.buffer(width, height);
        let mut out = text(&buffer);
        out.push_str("-- styles --\n");
        for y in 0..height {
            let mut runs: Vec<(u16, u16, Style)> = Vec::new();
            for x in 0..width {
                let cell = &buffer[(x, y)];
                // A picture has a colour for each cell; that it is there can be seen in the text.
                let style = if cell.symbol() == UNICODE.half { Style::new() } else { cell.style() };
                match runs.last_mut() {
                    Some((_, end, last)) if *last == style => *end = x,
                    _ => runs.push((x, x, style)),
                }
            }
            let plain = Buffer::empty(Rect::new(0, 0, 1, 1))[(0, 0)].style();
            let told: Vec<String> = runs
                .iter()
                .filter(|(_, _, style)| *style != plain && *style != Style::new())
                .map(|(first, last, style)| format!("{first}-{last} {}", words(*style)))
                .collect();
            if !told.is_empty() {
                writeln!(out, "{y:>3}: {}", told.join("; ")).unwrap();
            }
        }
        out
    }
}

pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn words(style: Style) -> String {
    use ratatui::style::{Color, Modifier};
    let mut words = Vec::new();
    let named = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    words.extend(
        named.iter().filter(|(m, _)| style.add_modifier.contains(*m)).map(|(_, word)| (*word).to_string()),
    );
    for (what, color) in [("", style.fg), ("on ", style.bg)] {
        match color {
            None | Some(Color::Reset) => {}
            Some(color) => words.push(format!("{what}{color}")),
        }
    }
    words.join(" ")
}
