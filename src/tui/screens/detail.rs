//! One source in full: picture, facts, charts, what happened.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    store::SourceSnapshot,
    tui::{
        app::UiState,
        format,
        layout::{take_bottom, take_left, take_right, take_top},
        text,
        theme::Role,
        widgets::{
            Look,
            chart::{self, Column},
            event_list, picture, put, put_lines, rule, source_facts, source_table,
        },
    },
};

/// Draws the selected source.
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let Some(source) = ui.selected().cloned() else {
        put(&look.line(format!(" {}", ui.why_empty()), Role::Dim), rest, buffer);
        return;
    };
    title(ui, &source, take_top(&mut rest, 1), buffer, look);
    if let Some(trouble) = source_facts::trouble(&source, ui.moment()) {
        let lines = text::wrap(&trouble, usize::from(rest.width.saturating_sub(4)));
        let lines: Vec<Line> = lines
            .into_iter()
            .take(3)
            .enumerate()
            .map(|(index, line)| {
                let lead = if index == 0 { look.symbols.alert } else { " " };
                look.line(look.left(&format!(" {lead} {line}"), usize::from(rest.width)), Role::Alert)
            })
            .collect();
        put_lines(&lines, take_top(&mut rest, lines.len() as u16), buffer);
    }
    let charts_height = (rest.height / 3).clamp(4, 14);
    let charts = take_bottom(&mut rest, charts_height);
    let facts_width = (rest.width / 2).clamp(30, 60);
    if ui.picture_in_detail {
        let facts = take_right(&mut rest, facts_width);
        take_right(&mut rest, 1);
        draw_picture(ui, &source, rest, buffer, look);
        draw_facts(ui, &source, facts, buffer, look);
    } else {
        let facts = take_left(&mut rest, facts_width);
        take_left(&mut rest, 1);
        draw_facts(ui, &source, facts, buffer, look);
        draw_events(ui, &source, rest, buffer, look);
    }
    draw_charts(ui, &source, charts, buffer, look);
}

fn title(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (glyph, role) = source_table::state_look(source, look);
    let words = source_table::state_words(source, ui.moment());
    let place = source.location.as_deref().map(|place| format!("{}{}", look.separator(), text::clean(place)));
    let mut spans = vec![
        look.span(format!(" {glyph} {words} "), role),
        look.span(text::clean(&source.alias), Role::Title),
        look.span(format!(" ({}){}", source.id, place.unwrap_or_default()), Role::Dim),
    ];
    if let Some(since) = ui.frozen_since() {
        spans.push(Span::raw("  "));
        spans.push(look.span(format!(" FROZEN since {} ", since.wall.strftime("%H:%M:%S")), Role::Alert));
    }
    put(&Line::from(spans), area, buffer);
    let clock = format!("{} ", ui.clock().wall.strftime("%H:%M:%S"));
    let width = clock.len() as u16;
    if area.width > 70 {
        put(&look.line(clock, Role::Text), Rect { x: area.right() - width, width, ..area }, buffer);
    }
}

fn draw_picture(ui: &mut UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    match &ui.extras.preview {
        Some((id, preview)) if *id == source.id => {
            let config = ui.extras.config.as_ref().filter(|config| config.id == source.id);
            let lines = config.map_or(&[][..], |config| &config.lines);
            // A dialog over pixels would be painted over with the next picture.
            if ui.dialog.is_none()
                && let Some(graphics) = &mut ui.graphics
                && graphics.draw(preview, lines, area, buffer)
            {
                return;
            }
            let overlay = picture::Overlay {
                lines,
                zones: config.map_or(&[], |config| &config.zones),
                trails: &ui.extras.trails,
                ..picture::Overlay::default()
            };
            picture::draw(preview, overlay, area, buffer, look);
        }
        _ => {
            let text = format!(" waiting for a picture ({})", source.state.word().to_lowercase());
            put(&look.line(look.cut(&text, usize::from(area.width)), Role::Dim), area, buffer);
        }
    }
}

fn draw_facts(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let facts = facts(ui, source, look);
    let height = (facts.len() as u16).min(rest.height);
    let width = usize::from(rest.width);
    let lines: Vec<Line> = facts
        .into_iter()
        .map(|(name, value, role)| {
            Line::from(vec![
                look.span(look.left(name, 11), Role::Dim),
                look.span(look.cut(&value, width.saturating_sub(11)), role),
            ])
        })
        .collect();
    put_lines(&lines, take_top(&mut rest, height), buffer);
    if rest.height >= 3 && ui.picture_in_detail {
        draw_events(ui, source, rest, buffer, look);
    }
}

fn facts(ui: &UiState, source: &SourceSnapshot, look: &Look) -> Vec<(&'static str, String, Role)> {
    let limit = source.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let counts = format!(
        "in {}  out {}  current {}{limit}",
        format::count(source.total_in),
        format::count(source.total_out),
        format::current(source.current())
    );
    let mut facts = vec![("Counts", counts, if source.over_threshold() { Role::Alert } else { Role::Title })];
    for line in source.lines.iter().filter(|_| source.lines.len() > 1) {
        let value = format!("{}: in {} out {}", text::clean(&line.name), line.total_in, line.total_out);
        facts.push(("  line", value, Role::Text));
    }
    for zone in &source.zones {
        let limit = zone.threshold.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let value =
            format!("{}: {}{limit}, stays {:.0} s", text::clean(&zone.name), zone.occupancy, zone.mean_dwell);
        facts.push(("  zone", value, Role::Text));
    }
    for (reason, count) in &source.suppressed {
        facts.push(("  not", format!("{count} {}", event_list::reason_words(*reason)), Role::Dim));
    }
    let rate = source.declared_fps.map(|fps| format!(" of {}", format::fps(fps))).unwrap_or_default();
    facts.push((
        "FPS",
        format!("{}{rate}, looked at {}/s", format::fps(source.fps), format::fps(source.detect_fps)),
        Role::Text,
    ));
    if source.rate_share < 0.995 {
        facts.push((
            "Throttled",
            format!(
                "to {} of its rate: {}",
                format::percent(source.rate_share),
                source.throttled_by.map_or("too much to do", crate::store::Strain::words)
            ),
            Role::Warn,
        ));
    }
    let size = source.size.map(|(width, height)| format!("{width}x{height}  ")).unwrap_or_default();
    facts.push(("Source", format!("{size}{}", text::clean(&source.source)), Role::Text));
    let of = source.frames_total.map(|total| format!(" of {}", format::count(total))).unwrap_or_default();
    let dropped = if source.dropped > 0 {
        format!(", {} dropped", format::count(source.dropped))
    } else {
        String::new()
    };
    facts.push(("Frames", format!("{}{of}{dropped}", format::count(source.frames)), Role::Text));
    let age = source.last_frame.map_or("none yet".into(), |then| format::age(ui.moment().since(then)));
    facts.push((
        "Last frame",
        format!("{age}{}{} behind", look.separator(), format::latency(source.latency)),
        Role::Text,
    ));
    facts.push(("People", format!("{} in the picture", source.visible), Role::Text));
    if source.errors + source.reconnects > 0 {
        facts.push((
            "Trouble",
            format!("{} errors, opened again {} times", source.errors, source.reconnects),
            Role::Warn,
        ));
    }
    if !source.detector.is_empty() {
        facts.push(("Detector", text::clean(&source.detector), Role::Text));
    }
    facts
}

fn draw_events(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    rule("Events", false, take_top(&mut rest, 1), buffer, look);
    let events = ui.shown().events.iter().filter(|event| event.source == source.id);
    let mut lines: Vec<Line> = events
        .rev()
        .take(usize::from(rest.height))
        .map(|event| {
            let stamp = format!("{} ", ui.clock().clock(event.wall));
            let (what, role) = event_list::describe(&event.kind, look);
            let room = usize::from(rest.width).saturating_sub(stamp.len());
            Line::from(vec![look.span(stamp, Role::Dim), look.span(look.cut(&what, room), role)])
        })
        .collect();
    lines.reverse();
    if lines.is_empty() {
        lines.push(look.line("nothing has happened yet", Role::Dim));
    }
    put_lines(&lines, rest, buffer);
}

fn draw_charts(ui: &UiState, source: &SourceSnapshot, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let room = usize::from(rest.width.saturating_sub(7));
    let now = ui.moment().wall.timestamp().as_second().div_euclid(60);
    let history = ui.extras.history.get(&source.id);
    let (columns, per_column) = chart::columns(history.map_or(&[], |history| history), now, ui.range, room);
    let unit = match per_column {
        1 => "by minute".to_string(),
        minutes if minutes % 60 == 0 => format!("{} h a column", minutes / 60),
        minutes => format!("{minutes} min a column"),
    };
    let title = format!("In and out, {}, {unit} (+ - changes)", ui.range.name());
    rule(&title, false, take_top(&mut rest, 1), buffer, look);
    if columns.iter().all(Option::is_none) {
        put(&look.line(" no history yet; the first minute is being counted", Role::Dim), rest, buffer);
        return;
    }
    let values = |of: &dyn Fn(&Column) -> u64| -> Vec<Option<u64>> {
        columns.iter().map(|column| column.as_ref().map(of)).collect()
    };
    let times = take_bottom(&mut rest, 1);
    let rows = rest.height;
    let with_current = rows >= 6;
    let each = if with_current { rows / 3 } else { rows / 2 };
    let labelled = |name: &str, values: &[Option<u64>], role: Role, area: Rect, buffer: &mut Buffer| {
        chart::draw(values, role, area, buffer, look);
        let width = text::width(name) as u16 + 1;
        if area.width > width {
            let at = Rect { x: area.right() - width, width, height: 1, ..area };
            put(&look.line(format!(" {name}"), role), at, buffer);
        }
    };
    labelled("in", &values(&|column| column.total_in), Role::In, take_top(&mut rest, each), buffer);
    if with_current {
        labelled("out", &values(&|column| column.total_out), Role::Out, take_top(&mut rest, each), buffer);
        let current = values(&|column| u64::try_from(column.current).unwrap_or(0));
        labelled("current", &current, Role::Busy, rest, buffer);
    } else {
        labelled("out", &values(&|column| column.total_out), Role::Out, rest, buffer);
    }
    let first = jiff::Timestamp::from_second((now - ui.range.minutes() + 1) * 60)
        .map(|stamp| stamp.to_zoned(ui.clock().wall.time_zone().clone()).strftime("%a %H:%M").to_string())
        .unwrap_or_default();
    let last = ui.moment().wall.strftime("%H:%M").to_string();
    let drawn = columns.len() * chart::stretch(columns.len(), room + 1);
    let gap = drawn.saturating_sub(first.len() + last.len());
    put(&look.line(format!("      {first}{}{last}", " ".repeat(gap)), Role::Dim), times, buffer);
}
