//! The counting lines and zones of a source, drawn on its live picture.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    editor::{Editor, Grip, Shape},
    state::State,
};

use crate::{
    count::replay::{LineReplay, Replay, ZoneReplay},
    geometry::Anchor,
    model::Reason,
    tui::{
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format,
        layout::{take_bottom, take_top},
        text,
        theme::Role,
        widgets::{Look, caret, input_line, picture, put_lines, rule, source_facts},
    },
};

/// Draws the editor.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut geometry = Geometry::default();
    let Some(editor) = &state.editor else { return geometry };
    let look = canvas.look;
    let mut rest = area;
    let width = usize::from(area.width);
    let source = context.shown().sources.iter().find(|source| source.id == editor.source);
    let unsaved = context.is_unsaved(&editor.source);
    let state = match (editor.is_changed(), unsaved) {
        (true, _) => "changed, Enter saves",
        (false, true) => "NOT SAVED: Enter tries again",
        (false, false) => "as it runs",
    };
    let room = width.saturating_sub(text::width(state) + "Lines and zones of : ".len() + 4);
    let name = look.name_of(context.shown(), &editor.source, room);
    let title = format!("Lines and zones of {name}: {state}");
    rule(&title, editor.is_changed() || unsaved, take_top(&mut rest, 1), canvas.buffer, look);
    let preview = context.fetched.previews.get(&editor.source).map(|preview| &**preview);
    let mut lines: Vec<Line> = editor
        .warnings(preview)
        .into_iter()
        .map(|warning| look.line(look.cut(&format!(" {} {warning}", look.symbols.alert), width), Role::Warn))
        .collect();
    let naming = editor.naming.as_ref().map(|input| input_line(" name: ", input, width, look));
    let (line, column) = naming.map_or_else(|| (chosen(editor, look), None), |(line, at)| (line, Some(at)));
    let row = lines.len() as u16;
    lines.push(line);
    lines.extend(counted(editor, width, look));
    let bottom = take_bottom(&mut rest, lines.len() as u16);
    geometry.caret = column.map(|column| caret(Rect { y: bottom.y + row, ..bottom }, column));
    put_lines(&lines, bottom, canvas.buffer);
    if let Some(preview) = preview {
        let held = match editor.grip() {
            Grip::Whole => None,
            Grip::Point(index) => Some(index),
        };
        let walked = editor.replayed.as_ref().filter(|_| !editor.walked_hidden);
        let overlay = picture::Overlay {
            lines: editor.lines(),
            zones: editor.zones(),
            ignored: editor.ignored(),
            chosen: Some(editor.chosen()),
            held,
            trails: &[],
            walked: walked.map_or(&[], |replayed| &replayed.walked),
        };
        geometry.picture = picture::fitted(rest, preview.size);
        picture::draw(preview, overlay, rest, canvas.buffer, look);
    } else {
        let lines = match source {
            None => vec![look.line(" waiting for a frame (not opened yet)", Role::Dim)],
            Some(source) => {
                let mut lines = source_facts::no_picture_lines(context, source, width, look);
                if source.last_error.is_some() {
                    lines.push(look.line(" q goes back; its line can be drawn later, with 'E'", Role::Dim));
                }
                lines
            }
        };
        put_lines(&lines, rest, canvas.buffer);
    }
    geometry
}

/// `door (1 of 2)  arrows move end a at 20 %, 50 %  the feet count`.
fn chosen(editor: &Editor, look: &Look) -> Line<'static> {
    let percent = |[x, y]: [f32; 2]| format!("{:.0} %, {:.0} %", x * 100.0, y * 100.0);
    let points = editor.points(editor.chosen());
    let is_line = editor.line().is_some();
    let grip = match editor.grip() {
        Grip::Whole => format!("the whole {}", editor.shape().word()),
        Grip::Point(index) => {
            let at = points.get(index).copied().map(percent).unwrap_or_default();
            match (is_line, index) {
                (true, 0) => format!("end a at {at}"),
                (true, _) => format!("end b at {at}"),
                (false, _) => format!("corner {} of {} at {at}", index + 1, points.len()),
            }
        }
    };
    let (name, body) = match (editor.shape(), editor.anchor()) {
        (Shape::Ignored(_), Anchor::Foot) => ("ignored".into(), "by the feet"),
        (Shape::Ignored(_), Anchor::Center) => ("ignored".into(), "by the body's middle"),
        (Shape::Ignored(_), Anchor::Head) => ("ignored".into(), "by the head"),
        (_, Anchor::Foot) => (text::clean(editor.name()), "the feet count"),
        (_, Anchor::Center) => (text::clean(editor.name()), "the body's middle counts"),
        (_, Anchor::Head) => (text::clean(editor.name()), "the head counts"),
    };
    Line::from(vec![
        look.span(format!(" {name}"), Role::Title),
        look.span(format!(" ({} of {})", editor.chosen() + 1, editor.count()), Role::Dim),
        Span::raw("  arrows move "),
        look.span(grip, Role::Key),
        look.span(format!("{}{body}", look.separator()), Role::Dim),
    ])
}

/// What the chosen line or zone would have counted of the last minutes; of a region, all lines with it.
fn counted(editor: &Editor, width: usize, look: &Look) -> Vec<Line<'static>> {
    let Some(replayed) = editor.replayed.as_ref().filter(|replayed| replayed.with.seconds >= 1.0) else {
        return vec![look.line(" what this would have counted shows once people were seen", Role::Dim)];
    };
    let time = format::minutes(replayed.with.seconds);
    let is_new = replayed.drawn == *editor.drawn();
    let wait = if is_new { "" } else { " (working)" };
    // By name, as names go with their counts.
    let before = |replay: &Replay| -> Option<String> {
        let runs = editor.as_it_runs();
        if let Shape::Ignored(_) = editor.shape() {
            return Some(total_words(replay));
        }
        if let Some(place) = runs.lines.iter().position(|line| line.name == editor.name()) {
            return replay.lines.get(place).map(line_words);
        }
        let place = runs.zones.iter().position(|zone| zone.name == editor.name())?;
        replay.zones.get(place).map(zone_words)
    };
    let with = &replayed.with;
    let now = match replayed.drawn.shape(editor.chosen()) {
        Shape::Line(index) => {
            with.lines.get(index).map(|line| format!("{}{}", line_words(line), suppressed_words(line)))
        }
        Shape::Zone(index) => with.zones.get(index).map(zone_words),
        Shape::Ignored(_) => Some(format!("{} (all lines)", total_words(with))),
    };
    let now = now.unwrap_or_else(|| "nothing yet".into());
    let runs = before(&replayed.as_it_runs).map(|words| format!("; as it runs: {words}")).unwrap_or_default();
    let lead = format!(" Last {time} with this: ");
    let room = width.saturating_sub(text::width(&lead));
    vec![Line::from(vec![
        look.span(lead, Role::Dim),
        look.span(look.cut(&format!("{now}{runs}{wait}"), room), Role::Title),
    ])]
}

fn line_words(line: &LineReplay) -> String {
    format!("in {}, out {}", line.total_in, line.total_out)
}

fn total_words(replay: &Replay) -> String {
    let sum = |count: fn(&LineReplay) -> u64| replay.lines.iter().map(count).sum();
    let (total_in, total_out): (u64, u64) = (sum(|line| line.total_in), sum(|line| line.total_out));
    format!("in {total_in}, out {total_out}")
}

fn suppressed_words(line: &LineReplay) -> String {
    let total: u64 = line.suppressed.values().sum();
    let most: Option<(&Reason, &u64)> = line.suppressed.iter().max_by_key(|(_, count)| **count);
    match most {
        Some((reason, _)) => format!(", {total} not ({})", reason.words()),
        None => String::new(),
    }
}

fn zone_words(zone: &ZoneReplay) -> String {
    format!("at most {} inside, {} stays of {:.0} s", zone.most, zone.stays, zone.mean_dwell)
}
