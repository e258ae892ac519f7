//! All sources at a glance.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use crate::tui::{
    app::{Panel, UiState},
    format,
    layout::{self, Class, OverviewNeeds, class, take_top},
    theme::Role,
    widgets::{
        Look, alert_bar, event_list, footer, header, picture, put, put_lines, rule, source_facts,
        source_table, worker_table,
    },
};

/// Draws the overview; gives the place of the caret while a filter is typed.
pub fn draw(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) -> Option<Position> {
    let needs = OverviewNeeds {
        alerts: alert_bar::lines_wanted(ui),
        rows: ui.rows().len(),
        workers: ui.shown().workers.len(),
        preview: ui.preview,
    };
    let parts = layout::overview(area, needs);
    header::draw(ui, parts.header, buffer, look);
    alert_bar::draw(ui, parts.alerts, buffer, look);
    let one_panel = class(area) == Class::Narrow;
    match ui.panel {
        Panel::Workers if one_panel => worker_table::draw(ui, parts.main, buffer, look),
        Panel::Events if one_panel => event_list::draw(ui, parts.main, buffer, look),
        _ => {
            source_table::draw(ui, parts.main, buffer, look);
            source_facts::draw(ui, parts.selected, buffer, look);
        }
    }
    if parts.workers.height > 0 {
        worker_table::draw(ui, parts.workers, buffer, look);
        event_list::draw(ui, parts.events, buffer, look);
    }
    if parts.preview.height > 0 {
        draw_preview(ui, parts.preview, buffer, look);
    }
    draw_totals(ui, parts.totals, buffer, look);
    footer::draw(ui, parts.footer, buffer, look)
}

fn draw_totals(ui: &UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (total_in, total_out, net) = ui.shown().totals();
    let about = format::about(ui.shown().sources.iter().any(|source| source.doubt().is_some()));
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
    let shown = ui.rows().iter().filter(|row| matches!(row, crate::tui::view_model::Row::Source(_))).count();
    let all = ui.shown().sources.len();
    if shown < all {
        let filter = look.cut(&ui.arrangement().filter, 20);
        spans.push(look.span(format!("   {shown} of {all} shown (/{filter})"), Role::Warn));
    }
    if ui.marked() > 0 {
        spans.push(look.span(format!("   {} marked", ui.marked()), Role::Marked));
    }
    put(&Line::from(spans), rest, buffer);
}

fn draw_preview(ui: &mut UiState, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    let Some(source) = ui.selected().cloned() else { return };
    let name = look.name(&source, usize::from(rest.width.saturating_sub(4)));
    rule(&name, false, take_top(&mut rest, 1), buffer, look);
    match &ui.extras.preview {
        Some((id, preview)) if *id == source.id => {
            let lines = ui.extras.config.as_ref().filter(|config| config.id == source.id);
            let overlay = picture::Overlay {
                lines: lines.map_or(&[], |config| &config.lines),
                zones: lines.map_or(&[], |config| &config.zones),
                trails: &ui.extras.trails,
                ..picture::Overlay::default()
            };
            // A dialog over pixels would be painted over with the next picture.
            if ui.dialog.is_none()
                && let Some(graphics) = &mut ui.graphics
                && graphics.draw(preview, overlay, rest, buffer)
            {
                return;
            }
            picture::draw(preview, overlay, rest, buffer, look);
        }
        _ => {
            let lines = source_facts::no_picture_lines(ui, &source, usize::from(rest.width), look);
            put_lines(&lines, rest, buffer);
        }
    }
}
