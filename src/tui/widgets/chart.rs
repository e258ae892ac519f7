//! Columns over time with a scale that stands still, and gaps where nobody watched.

use jiff::{Timestamp, Zoned};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Look, put};
use crate::{
    ledger::chart::{Column, Counted, Width},
    model::Minute,
    tui::{
        layout::{take_bottom, take_left, take_top},
        text,
        theme::Role,
    },
};

/// Columns of the scale at the left.
const SCALE: u16 = 6;

const WIDTHS: [Width; 4] = [Width::Minute, Width::Quarter, Width::Hour, Width::Day];

/// The width of column `steps` wider; `None` beyond the ends.
#[must_use]
pub fn stepped(width: Width, steps: isize) -> Option<Width> {
    let now = WIDTHS.iter().position(|other| *other == width)?;
    WIDTHS.get(now.checked_add_signed(steps)?).copied()
}

/// Most columns shown: an hour of minutes, a day of quarters, three days of hours, a month of days.
#[must_use]
pub fn most_columns(width: Width) -> usize {
    match width {
        Width::Minute => 60,
        Width::Quarter => 96,
        Width::Hour => 72,
        Width::Day => 31,
    }
}

/// What a column is.
#[must_use]
pub fn words(width: Width) -> &'static str {
    match width {
        Width::Minute => "by the minute",
        Width::Quarter => "by 15 minutes",
        Width::Hour => "by the hour",
        Width::Day => "by day",
    }
}

/// The time that `columns` columns reach back over.
#[must_use]
pub fn reach(width: Width, columns: usize) -> String {
    match width {
        Width::Minute if columns == 60 => "last hour".into(),
        Width::Minute => format!("last {columns} minutes"),
        Width::Quarter => format!("last {} hours", columns / 4),
        Width::Hour => format!("last {columns} hours"),
        Width::Day => format!("last {columns} days"),
    }
}

/// The last `count` columns up to `now` out of minutes in memory, for runs without a ledger.
#[must_use]
pub fn of_minutes(history: &[Minute], width: Width, count: usize, now: &Zoned) -> Vec<Column> {
    let length = match width {
        Width::Minute => 1,
        Width::Quarter => 15,
        Width::Hour => 60,
        Width::Day => 24 * 60,
    };
    // Hours and days begin where the user's clock says so.
    let offset = i64::from(now.offset().seconds()) / 60;
    let place = |minute: i64| (minute + offset).div_euclid(length);
    let last = place(now.timestamp().as_second().div_euclid(60));
    let first = last - i64::try_from(count).unwrap_or(1) + 1;
    let start =
        |place: i64| Timestamp::from_second((place * length - offset) * 60).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut columns: Vec<Column> =
        (first..=last).map(|place| Column { start: start(place), counted: None, closed: false }).collect();
    for minute in history.iter().filter(|minute| minute.watched) {
        let index = usize::try_from(place(minute.minute) - first);
        if let Some(column) = index.ok().and_then(|index| columns.get_mut(index)) {
            let counted = column.counted.get_or_insert_with(Counted::default);
            counted.total_in += u64::from(minute.total_in);
            counted.total_out += u64::from(minute.total_out);
            counted.occupancy = minute.current;
        }
    }
    columns
}

/// Draws in, out and, where there is room, the current count below each other, with the times at the foot.
/// Gives how many columns there was room for.
pub fn draw_counts(
    columns: &[Column],
    width: Width,
    now: &Zoned,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) -> usize {
    let room = usize::from(area.width.saturating_sub(SCALE + 1));
    let columns = &columns[columns.len().saturating_sub(room)..];
    let mut rest = area;
    let times = take_bottom(&mut rest, 1);
    let stamp = |time: Timestamp| {
        let format = match width {
            Width::Minute => "%H:%M",
            Width::Quarter | Width::Hour => "%a %H:%M",
            Width::Day => "%a %-d %b",
        };
        time.to_zoned(now.time_zone().clone()).strftime(format).to_string()
    };
    let values = |of: &dyn Fn(&Counted) -> u64| -> Vec<Option<u64>> {
        columns.iter().map(|column| column.counted.as_ref().map(of)).collect()
    };
    // What a chart is of, its sum and its highest column, in one line above it where there is room.
    let labelled = |name: &str, values: &[Option<u64>], role: Role, mut area: Rect, buffer: &mut Buffer| {
        let sum: u64 = values.iter().flatten().sum();
        let top = values.iter().enumerate().filter_map(|(place, value)| Some((value.as_ref()?, place)));
        let top = top.rev().max_by_key(|(value, _)| **value).filter(|(value, _)| **value > 0);
        let most = top
            .and_then(|(value, place)| Some(format!("most {value} at {}", stamp(columns.get(place)?.start))));
        let mut spans = vec![Span::raw(" ".repeat(usize::from(SCALE))), look.span(name.to_string(), role)];
        if name != "current" {
            spans.push(look.span(format!(" {sum}"), Role::Title));
        }
        if let Some(most) = most {
            spans.push(look.span(format!("{}{most}", look.separator()), Role::Dim));
        }
        if area.height >= 3 {
            put(&Line::from(spans), take_top(&mut area, 1), buffer);
            draw(values, role, area, buffer, look);
            mark_closed(columns, area, buffer, look);
        } else {
            draw(values, role, area, buffer, look);
            mark_closed(columns, area, buffer, look);
            let width = text::width(name) as u16 + 1;
            let at = Rect { x: area.right().saturating_sub(width), width, height: 1, ..area };
            put(&look.line(format!(" {name}"), role), at.intersection(area), buffer);
        }
    };
    let charts = if rest.height >= 6 { 3 } else { 2 };
    let each = rest.height / charts;
    let (all_in, all_out) = (values(&|counted| counted.total_in), values(&|counted| counted.total_out));
    labelled("in", &all_in, Role::In, take_top(&mut rest, each), buffer);
    if charts == 3 {
        labelled("out", &all_out, Role::Out, take_top(&mut rest, each), buffer);
        let current = values(&|counted| u64::try_from(counted.occupancy).unwrap_or(0));
        labelled("current", &current, Role::Busy, rest, buffer);
    } else {
        labelled("out", &all_out, Role::Out, rest, buffer);
    }
    let first = columns.first().map(|column| stamp(column.start)).unwrap_or_default();
    let last = if width == Width::Day { "today".to_string() } else { now.strftime("%H:%M").to_string() };
    let drawn = columns.len() * stretch(columns.len(), room + 1);
    let gap = drawn.saturating_sub(first.len() + last.len());
    let lead = " ".repeat(usize::from(SCALE));
    put(&look.line(format!("{lead}{first}{}{last}", " ".repeat(gap)), Role::Dim), times, buffer);
    columns.len()
}

/// The smallest of 1, 2, 5, 10, 20, 50 ... that is not below `value`: a scale that does not change with
/// every person.
#[must_use]
pub fn scale(value: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if step * factor >= value {
                return step * factor;
            }
        }
        match step.checked_mul(10).filter(|step| *step <= u64::MAX / 50) {
            Some(next) => step = next,
            None => return value,
        }
    }
}

/// How many cells wide each of `count` columns can be drawn in `room`.
#[must_use]
pub fn stretch(count: usize, room: usize) -> usize {
    (room / count.max(1)).max(1)
}

/// Draws `values` as columns from the bottom of `area`, with the scale's top and zero at the left.
pub fn draw(values: &[Option<u64>], role: Role, area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    if rest.height == 0 || rest.width <= SCALE {
        return;
    }
    let axis = take_left(&mut rest, SCALE);
    let top = scale(values.iter().flatten().copied().max().unwrap_or(0));
    put(&look.line(look.right(&crate::tui::format::count(top), 5), Role::Dim), axis, buffer);
    if axis.height > 1 {
        let foot = Rect { y: axis.bottom() - 1, height: 1, ..axis };
        put(&look.line(look.right("0", 5), Role::Dim), foot, buffer);
    }
    let steps = look.symbols.levels.len() as u64;
    let full = u64::from(rest.height) * steps;
    let wide = stretch(values.len(), usize::from(rest.width));
    let places = (rest.x..rest.right()).step_by(wide);
    for (value, left) in values.iter().zip(places) {
        let Some(value) = value else { continue };
        // Anything above zero shows; zero shows as the lowest level, so that it is not a gap.
        let height = (value * full).div_ceil(top).max(1).min(full);
        for row in 0..rest.height {
            let below = u64::from(row) * steps;
            if height <= below {
                break;
            }
            let level = (height - below).min(steps) - 1;
            let role = if *value == 0 { Role::Dim } else { role };
            for x in left..(left + wide as u16).min(rest.right()) {
                if let Some(cell) = buffer.cell_mut((x, rest.bottom() - 1 - row)) {
                    cell.set_symbol(look.symbols.levels[level as usize]).set_style(look.style(role));
                }
            }
        }
    }
}

/// Marks the columns at whose time opening hours had closed the source, at the foot of `area`.
fn mark_closed(columns: &[Column], area: Rect, buffer: &mut Buffer, look: &Look) {
    let mut rest = area;
    if rest.height == 0 || rest.width <= SCALE {
        return;
    }
    take_left(&mut rest, SCALE);
    let wide = stretch(columns.len(), usize::from(rest.width)) as u16;
    for (place, _) in columns.iter().enumerate().filter(|(_, column)| column.closed) {
        let left = rest.x.saturating_add((place as u16).saturating_mul(wide));
        for x in left..left.saturating_add(wide).min(rest.right()) {
            if let Some(cell) = buffer.cell_mut((x, rest.bottom() - 1)) {
                cell.set_symbol(look.symbols.shades[1]).set_style(look.style(Role::Dim));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_summed_on_the_users_clock_and_gaps_stay_gaps() {
        let now: Zoned = "2026-03-14T12:34:56+05:30[Asia/Kolkata]".parse().unwrap();
        let last = now.timestamp().as_second() / 60;
        let minute = |back: i64, total_in| Minute {
            minute: last - back,
            total_in,
            total_out: 1,
            current: i64::from(total_in),
            watched: total_in != 9,
        };
        let history = [minute(95, 3), minute(36, 9), minute(34, 4), minute(0, 5)];
        let columns = of_minutes(&history, Width::Hour, 3, &now);
        let counted = |total_in, total_out, occupancy| Some(Counted { total_in, total_out, occupancy });
        assert_eq!(
            columns.iter().map(|column| column.counted).collect::<Vec<_>>(),
            [counted(3, 1, 3), None, counted(9, 2, 5)]
        );
        assert_eq!(columns[2].start, "2026-03-14T12:00:00+05:30".parse().unwrap());
        let days = of_minutes(&history, Width::Day, 2, &now);
        assert_eq!(days[1].counted, counted(12, 3, 5));
        assert_eq!(days[1].start, "2026-03-14T00:00:00+05:30".parse().unwrap());
    }

    #[test]
    fn scales_are_round() {
        assert_eq!([0, 1, 2, 3, 6, 11, 21, 99].map(scale), [1, 1, 2, 5, 10, 20, 50, 100]);
        assert!(scale(u64::MAX) == u64::MAX);
    }

    #[test]
    fn widths_end() {
        assert_eq!(stepped(Width::Minute, 1), Some(Width::Quarter));
        assert_eq!(stepped(Width::Minute, -1), None);
        assert_eq!(stepped(Width::Day, 1), None);
        assert_eq!(reach(Width::Quarter, 96), "last 24 hours");
    }

    #[test]
    fn a_time_in_which_the_source_was_closed_is_marked_and_one_in_which_nobody_watched_is_not() {
        let column = |closed, counted| Column { start: Timestamp::UNIX_EPOCH, counted, closed };
        let counted = Some(Counted { total_in: 3, ..Counted::default() });
        let columns = [column(true, None), column(false, None), column(false, counted)];
        let area = Rect::new(0, 0, SCALE + 3, 2);
        let mut buffer = Buffer::empty(area);
        let look = Look {
            theme: crate::tui::theme::Theme::new(
                crate::tui::theme::Palette::None,
                crate::config::Theme::Mono,
            ),
            symbols: crate::tui::symbols::UNICODE,
        };
        mark_closed(&columns, area, &mut buffer, &look);
        let foot: String = (SCALE..SCALE + 3).map(|x| buffer[(x, 1)].symbol().to_owned()).collect();
        assert_eq!(foot, format!("{}  ", look.symbols.shades[1]));
    }
}
