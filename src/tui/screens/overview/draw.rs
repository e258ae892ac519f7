//! All sources at a glance.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    areas, detail, events, header,
    layout::{self, Content, Layout},
    state::{Panel, State},
    table, workers,
};
use crate::tui::{
    canvas::Canvas,
    context::Context,
    drawn::Geometry,
    format,
    layout::{class, take_top},
    listing::Row,
    theme::Role,
    widgets::{Look, alert_bar, picture, put, put_lines, rule, source_facts},
};

/// Draws the overview.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let content = Content {
        alerts: alert_bar::lines_wanted(context),
        areas: context.shown().areas.len(),
        rows: context.rows().len(),
        workers: context.shown().workers.len(),
        preview: state.has_preview(context),
        detail: state.layout.has_detail(context.size),
        alone: state.layout == Layout::Table,
    };
    let (width, height) = context.size;
    let class = class(Rect::new(0, 0, width, height));
    let parts = layout::divide(area, class, content);
    let look = canvas.look;
    header::draw(context, parts.header, canvas.buffer, look);
    alert_bar::draw(context, parts.alerts, canvas.buffer, look);
    let mut geometry = Geometry::default();
    match state.panel {
        Panel::Workers if parts.workers.height == 0 => {
            geometry = workers::draw(state, context, parts.main, canvas.buffer, look);
        }
        Panel::Events if parts.workers.height == 0 => {
            events::draw(state, context, parts.main, canvas.buffer, look);
        }
        _ => {
            geometry = table::draw(state, context, parts.main, canvas.buffer, look);
            source_facts::draw(context, parts.selected, canvas.buffer, look);
        }
    }
    if parts.workers.height > 0 {
        let workers = workers::draw(state, context, parts.workers, canvas.buffer, look);
        if state.panel == Panel::Workers {
            geometry = workers;
        }
        events::draw(state, context, parts.events, canvas.buffer, look);
    }
    if parts.preview.height > 0 {
        draw_preview(context, parts.preview, canvas);
    }
    if parts.detail.height > 0 {
        detail::draw(context, content.preview, parts.detail, canvas);
    }
    areas::draw(context, parts.areas, canvas.buffer, look);
    draw_totals(context, parts.totals, canvas.buffer, look);
    geometry
}

fn draw_totals(context: &Context, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (total_in, total_out, net) = context.shown().totals();
    let about = format::about(context.shown().sources.iter().any(|source| source.doubt().is_some()));
    let mut rest = area;
    if rest.height > 1 {
        let width = usize::from(rest.width);
        put(&look.line(look.symbols.rule.repeat(width), Role::Border), take_top(&mut rest, 1), buffer);
    }
    let mut spans = vec![
        look.span(" Total: ", Role::Title),
        Span::raw("In: "),
        look.span(format!("{about}{}", format::count(total_in)), Role::In),
        Span::raw(" | Out: "),
        look.span(format!("{about}{}", format::count(total_out)), Role::Out),
        Span::raw(" | Net: "),
        look.span(format!("{about}{}", format::signed(net)), Role::Title),
    ];
    let shown = context.rows().iter().filter(|row| matches!(row, Row::Source(_))).count();
    let all = context.shown().sources.len();
    if shown < all {
        let filter = look.cut(&context.arrangement().filter, 20);
        spans.push(look.span(format!("   {shown} of {all} shown (/{filter})"), Role::Warn));
    }
    if context.listing.marked() > 0 {
        spans.push(look.span(format!("   {} marked", context.listing.marked()), Role::Marked));
    }
    put(&Line::from(spans), rest, buffer);
}

fn draw_preview(context: &Context, area: Rect, canvas: &mut Canvas) {
    let mut rest = area;
    let Some(source) = context.selected() else { return };
    let look = canvas.look;
    let name = look.name(source, usize::from(rest.width.saturating_sub(4)));
    rule(&name, false, take_top(&mut rest, 1), canvas.buffer, look);
    if let Some(preview) = context.fetched.previews.get(&source.id) {
        canvas.picture(preview, picture::Overlay::of(context, &source.id), rest);
    } else {
        let lines = source_facts::no_picture_lines(context, source, usize::from(rest.width), look);
        put_lines(&lines, rest, canvas.buffer);
    }
}
