//! Previews beside and below each other, each with its source's state, name and counts.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::state::State;
use crate::{
    model::{SourceSnapshot, name_of},
    tui::{
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format,
        layout::take_top,
        text,
        theme::Role,
        widgets::{
            Look, describe,
            picture::{self, Overlay},
            put, put_lines, rule, source_facts,
        },
    },
};

/// Draws the page with the selected source.
pub fn draw(context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let (grid, ids) = State::page(context);
    rule(&title(context, grid.page()), true, take_top(&mut rest, 1), canvas.buffer, look);
    if ids.is_empty() {
        put(&look.line(format!(" {}", context.why_empty()), Role::Dim), rest, canvas.buffer);
    }
    for (place, id) in ids.iter().enumerate() {
        let Some(source) = context.source(id) else { continue };
        let mut tile = grid.tile(place, rest);
        let is_chosen = context.listing.selected() == Some(id);
        put(
            &caption(source, is_chosen, context, usize::from(tile.width), look),
            take_top(&mut tile, 1),
            canvas.buffer,
        );
        if let Some(preview) = context.fetched.previews.get(id) {
            // One picture in pixels at a time is all that a terminal is given; here are many.
            let ignored = context.fetched.ignored.get(id).map_or(&[][..], Vec::as_slice);
            let overlay = Overlay { ignored, trails: trails(context, source), ..Overlay::default() };
            picture::draw(preview, overlay, tile, canvas.buffer, look);
        } else {
            let lines = source_facts::no_picture_lines(context, source, usize::from(tile.width), look);
            put_lines(&lines, tile, canvas.buffer);
        }
    }
    Geometry { page: grid.page(), ..Geometry::default() }
}

fn trails<'a>(context: &'a Context, source: &SourceSnapshot) -> &'a [crate::count::replay::TrackPath] {
    context.fetched.trails.get(&source.id).map_or(&[], Vec::as_slice)
}

/// `Wall of previews: 1 to 12 of 300`.
fn title(context: &Context, page: usize) -> String {
    let ids: Vec<_> = context.listing.visible(context.shown()).map(|source| &source.id).collect();
    let chosen =
        context.listing.selected().and_then(|id| ids.iter().position(|other| *other == id)).unwrap_or(0);
    let first = chosen / page * page;
    match ids.len() {
        0 => "Wall of previews".into(),
        all if all <= page => format!("Wall of previews: {all}"),
        all => format!("Wall of previews: {} to {} of {all}", first + 1, (first + page).min(all)),
    }
}

/// `▶● Main Entrance  in 12 out 8`.
fn caption(
    source: &SourceSnapshot,
    is_chosen: bool,
    context: &Context,
    width: usize,
    look: &Look,
) -> Line<'static> {
    let (glyph, role) = describe::source_state(source, look);
    let about = format::about(source.doubt().is_some());
    let counts = format!(
        " in {about}{} out {about}{}",
        format::count(source.total_in),
        format::count(source.total_out)
    );
    let state = if source.state.kind().is_offline() {
        format!(" {}", describe::source_state_words(source, context.shown().taken))
    } else {
        String::new()
    };
    let room = width.saturating_sub(text::width(&counts) + text::width(&state) + 4).max(6);
    // The name that people gave it says more than half of its id.
    let name = match &*source.alias {
        alias if !alias.is_empty() && text::width(&name_of(alias, &source.id)) > room => {
            look.cut(&text::clean(alias), room)
        }
        _ => look.name(source, room),
    };
    let lead = if is_chosen { look.symbols.cursor } else { " " };
    Line::from(vec![
        look.span(lead, Role::Key),
        look.span(format!("{glyph} "), role),
        look.span(name, if is_chosen { Role::Key } else { Role::Title }),
        look.span(state, role),
        Span::styled(counts, look.style(Role::Text)),
    ])
}
