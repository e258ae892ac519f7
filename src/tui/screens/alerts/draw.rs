//! The list of alerts, below a line of how many sources are in which state.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::state::{Row, State};
use crate::{
    model::StateKind,
    tui::{
        canvas::Canvas,
        context::Context,
        drawn::Geometry,
        format::{self, Moment},
        layout::take_top,
        text,
        theme::Role,
        widgets::{Look, put, put_lines, rule},
    },
};

/// Columns of a list: heading, width, and the width of the screen from which it shows. Source and cause share what is left.
const COLUMNS: [(&str, usize, u16); 4] =
    [("What", 9, 0), ("Since", 12, 0), ("For", 7, 0), ("Acknowledged", 24, 100)];

/// Draws the list.
pub fn draw(state: &State, context: &Context, area: Rect, canvas: &mut Canvas) -> Geometry {
    let mut rest = area;
    let look = canvas.look;
    let (open, standing) = (context.alerts.open(), context.alerts.standing().len());
    let title = match (standing, open) {
        (0, _) => "Alerts: nothing is wrong".to_owned(),
        (all, 0) => format!("Alerts: {all}, all acknowledged"),
        (all, open) => format!("Alerts: {all}, {open} not acknowledged"),
    };
    rule(&title, true, take_top(&mut rest, 1), canvas.buffer, look);
    put(&states(context, usize::from(rest.width), look), take_top(&mut rest, 1), canvas.buffer);
    let rows = State::rows(context);
    if rows.is_empty() {
        let said = " what goes wrong while this dashboard is open is listed here, also when it is over";
        put(&look.line(look.cut(said, usize::from(rest.width)), Role::Dim), rest, canvas.buffer);
        return Geometry::default();
    }
    let widths = Widths::of(rest.width);
    widths.draw_head(take_top(&mut rest, 1), canvas.buffer, look);
    let chosen = state.chosen.min(rows.len() - 1);
    draw_cause(&cause(rows[chosen], context), widths.cause, &mut rest, canvas.buffer, look);
    let page = usize::from(rest.height).max(1);
    let first =
        state.first.min(rows.len().saturating_sub(page)).min(chosen).max((chosen + 1).saturating_sub(page));
    let lines: Vec<Line> = rows
        .iter()
        .enumerate()
        .skip(first)
        .take(page)
        .map(|(index, row)| widths.line(*row, index == chosen, context, look))
        .collect();
    put_lines(&lines, rest, canvas.buffer);
    Geometry { page, first, rows: rest, ..Geometry::default() }
}

/// Takes the lowest lines for a cause that its row cannot show whole, where the list keeps most of the room.
fn draw_cause(cause: &str, shown: usize, rest: &mut Rect, buffer: &mut Buffer, look: &Look) {
    if text::width(cause) <= shown {
        return;
    }
    let lines: Vec<Line> = text::wrap(cause, usize::from(rest.width).saturating_sub(2).max(1))
        .into_iter()
        .map(|line| look.line(format!(" {line}"), Role::Warn))
        .collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(1);
    if height > rest.height / 3 {
        return;
    }
    let [above, below] = [rest.height - height, height].map(|height| Rect { height, ..*rest });
    let mut below = Rect { y: above.bottom(), ..below };
    *rest = above;
    rule("Cause", false, take_top(&mut below, 1), buffer, look);
    put_lines(&lines, below, buffer);
}

/// Why `row` is or was an alert.
fn cause(row: Row, context: &Context) -> String {
    match row {
        Row::Standing(key) => {
            context.alerts.course(key).map(|course| course.cause.clone()).unwrap_or_default()
        }
        Row::Past(past) => format!("over at {}; {}", stamp(&past.ended, context.clock()), past.course.cause),
    }
}

/// `12 running, 3 reconnecting, 1 offline, 2 paused`.
fn states(context: &Context, width: usize, look: &Look) -> Line<'static> {
    let counts = totals(context.shown().sources.iter().map(|source| source.state.kind()));
    let facts: Vec<String> =
        counts.into_iter().map(|(kind, count)| format!("{count} {}", kind.word().to_lowercase())).collect();
    let said =
        if facts.is_empty() { "there are no sources".to_owned() } else { facts.join(&look.separator()) };
    look.line(look.cut(&format!(" {said}"), width), Role::Text)
}

/// How many are in which state, the states that need somebody first.
fn totals(kinds: impl Iterator<Item = StateKind>) -> Vec<(StateKind, usize)> {
    let mut counts: Vec<(StateKind, usize)> = Vec::new();
    for kind in kinds {
        match counts.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts.sort_by_key(|(kind, count)| (!kind.is_offline(), std::cmp::Reverse(*count)));
    counts
}

struct Widths {
    name: usize,
    cause: usize,
    has_acknowledged: bool,
}

impl Widths {
    fn of(width: u16) -> Self {
        let shown = COLUMNS.iter().filter(|(.., from)| width >= *from);
        let used: usize = shown.map(|(_, wide, _)| wide + 1).sum();
        let left = usize::from(width).saturating_sub(used + 3);
        let name = (left / 2).clamp(10, 40).min(left);
        Self { name, cause: left.saturating_sub(name + 1), has_acknowledged: width >= COLUMNS[3].2 }
    }

    fn draw_head(&self, area: Rect, buffer: &mut Buffer, look: &Look) {
        let [what, since, lasted, acknowledged] = COLUMNS.map(|(heading, wide, _)| look.left(heading, wide));
        let mut head = format!("  {what} {} {since} {lasted} ", look.left("Source", self.name));
        if self.has_acknowledged {
            head.push_str(&acknowledged);
            head.push(' ');
        }
        head.push_str("Cause");
        put(&look.line(head, Role::Dim), area, buffer);
    }

    fn line(&self, row: Row, chosen: bool, context: &Context, look: &Look) -> Line<'static> {
        let key = row.key();
        let (course, ended) = match row {
            Row::Standing(key) => (context.alerts.course(key), None),
            Row::Past(past) => (Some(&past.course), Some(&past.ended)),
        };
        let style = |role: Role| if chosen { Style::new() } else { look.style(role) };
        let is_open = ended.is_none() && course.is_some_and(|course| course.acknowledged.is_none());
        let role = match (ended, is_open) {
            (Some(_), _) => Role::Dim,
            (None, true) => Role::Bad,
            (None, false) => Role::Warn,
        };
        let glyph = match (ended, is_open) {
            (Some(_), _) => " ",
            (None, true) => look.symbols.alert,
            (None, false) => look.symbols.acknowledged,
        };
        let name = match context.source(&key.source) {
            Some(source) => look.name(source, self.name),
            None => look.cut(course.map_or(&key.source, |course| course.name.as_str()), self.name),
        };
        let began = course.map(|course| stamp(&course.began, context.clock())).unwrap_or_default();
        let until = ended.unwrap_or(context.moment());
        let lasted = course.map(|course| until.mono.saturating_duration_since(course.began.mono));
        let lasted = lasted.map(format::duration).unwrap_or_default();
        let [what, since, long, acknowledged] = COLUMNS.map(|(_, wide, _)| wide);
        let mut spans = vec![
            Span::styled(if chosen { look.symbols.cursor } else { " " }, style(Role::Key)),
            Span::styled(format!("{glyph}{} ", look.left(key.kind.word(), what)), style(role)),
            Span::styled(format!("{} ", look.left(&name, self.name)), style(Role::Text)),
            Span::styled(format!("{} ", look.left(&began, since)), style(Role::Text)),
            Span::styled(format!("{} ", look.left(&lasted, long)), style(Role::Text)),
        ];
        let by = course.and_then(|course| course.acknowledged.as_ref());
        let by = by
            .map(|(who, at)| format!("{}, {}", text::clean(who), at.wall.strftime("%H:%M")))
            .unwrap_or_default();
        if self.has_acknowledged {
            spans.push(Span::styled(format!("{} ", look.left(&by, acknowledged)), style(Role::Dim)));
        }
        spans.push(Span::styled(
            look.cut(&cause(row, context), self.cause),
            style(if ended.is_some() { Role::Dim } else { role }),
        ));
        let line = Line::from(spans);
        if chosen { line.style(look.style(Role::Selected)) } else { line }
    }
}

/// `12:34:56`, with the day where it is not today.
fn stamp(moment: &Moment, now: &Moment) -> String {
    let is_today = moment.wall.date() == now.wall.date();
    moment.wall.strftime(if is_today { "%H:%M:%S" } else { "%-d %b %H:%M" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_need_somebody_come_first() {
        use StateKind::{Paused, Retrying, Running};
        let kinds = [Running, Running, Paused, Retrying, Running];
        assert_eq!(totals(kinds.into_iter()), [(Retrying, 1), (Running, 3), (Paused, 1)]);
    }
}
