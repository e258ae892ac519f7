//! The counting lines of a source, drawn on its live picture.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    count::Anchor,
    tui::{
        app::UiState,
        editor::{Editor, Grip},
        layout::{take_bottom, take_top},
        text,
        theme::Role,
        widgets::{Look, input_line, picture, put, put_lines, rule},
    },
};

/// Draws the editor.
pub fn draw(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let Some(editor) = &ui.editor else { return };
    let mut rest = area;
    let width = usize::from(area.width);
    let source = ui.shown().sources.iter().find(|source| source.id == editor.source);
    let name = text::clean(source.map_or(&*editor.source, |source| &source.alias));
    let state = if editor.is_changed() { "changed, Enter uses and saves" } else { "as it runs" };
    rule(&format!("Lines of {name}: {state}"), editor.is_changed(), take_top(&mut rest, 1), buffer, look);
    let preview =
        ui.extras.preview.as_ref().filter(|(id, _)| *id == editor.source).map(|(_, preview)| &**preview);
    let mut lines: Vec<Line> = editor
        .warnings(preview)
        .into_iter()
        .map(|warning| look.line(look.cut(&format!(" {} {warning}", look.symbols.alert), width), Role::Warn))
        .collect();
    lines.push(match &editor.naming {
        Some(input) => input_line(" name: ", input, width, look),
        None => chosen(editor, look),
    });
    let bottom = take_bottom(&mut rest, lines.len() as u16);
    put_lines(&lines, bottom, buffer);
    match preview {
        Some(preview) => {
            let overlay = picture::Overlay { lines: editor.lines(), chosen: Some(editor.chosen()) };
            picture::draw(preview, overlay, rest, buffer, look);
        }
        None => {
            let words = source.map_or("gone".into(), |source| source.state.word().to_lowercase());
            put(&look.line(format!(" waiting for a picture ({words})"), Role::Dim), rest, buffer);
        }
    }
}

/// `door (1 of 2)  end a at 20 %, 50 %  feet must cross`.
fn chosen(editor: &Editor, look: &Look) -> Line<'static> {
    let Some(line) = editor.line() else { return Line::default() };
    let percent = |[x, y]: [f32; 2]| format!("{:.0} %, {:.0} %", x * 100.0, y * 100.0);
    let grip = match editor.grip() {
        Grip::A => format!("end a at {}", percent(line.a)),
        Grip::B => format!("end b at {}", percent(line.b)),
        Grip::Whole => "the whole line".into(),
    };
    let anchor = match line.anchor {
        Anchor::Foot => "the feet must cross",
        Anchor::Center => "the middle of the body must cross",
        Anchor::Head => "the head must cross",
    };
    Line::from(vec![
        look.span(format!(" {}", text::clean(&line.name)), Role::Title),
        look.span(format!(" ({} of {})", editor.chosen() + 1, editor.lines().len()), Role::Dim),
        Span::raw("  arrows move "),
        look.span(grip, Role::Key),
        look.span(format!("{}{anchor}", look.separator()), Role::Dim),
    ])
}
