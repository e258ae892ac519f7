//! Where the CPU time of one source goes.

use ratatui::text::{Line, Span};

use crate::{
    metrics::stages::StageTime,
    tui::{format, theme::Role, widgets::Look},
};

/// Cells of a bar.
const BAR: usize = 10;

/// Stages with their share, their time at a time, and how often they were run; then their sum.
#[must_use]
pub fn lines(stages: &[StageTime], width: usize, look: &Look) -> Vec<Line<'static>> {
    let total: f64 = stages.iter().map(|spent| spent.seconds).sum();
    if total <= 0.0 {
        return vec![look.line("no time has been spent on it yet", Role::Dim)];
    }
    let bars = width >= 50;
    let bar_heading = if bars { " ".repeat(BAR + 1) } else { String::new() };
    let heading = format!(
        "{} {} {bar_heading}{} {} {}",
        look.left("stage", 10),
        look.right("share", 5),
        look.right("each", 8),
        look.right("runs", 7),
        look.right("CPU", 7)
    );
    let mut lines = vec![look.line(heading, Role::Dim)];
    for spent in stages.iter().filter(|spent| spent.calls > 0) {
        let share = spent.seconds / total;
        let full = (share * BAR as f64).round() as usize;
        let mut spans = vec![
            Span::raw(look.left(spent.stage.name(), 10)),
            Span::raw(look.right(&format!(" {}", format::percent(share as f32)), 6)),
            Span::raw(" "),
        ];
        if bars {
            let bar = look.symbols.full.repeat(full) + &" ".repeat(BAR.saturating_sub(full) + 1);
            spans.push(look.span(bar, Role::Busy));
        }
        let figures = format!(
            "{} {} {}",
            look.right(&milliseconds(spent.seconds / spent.calls as f64), 8),
            look.right(&format::count(spent.calls), 7),
            look.right(&seconds(spent.seconds), 7)
        );
        spans.push(Span::raw(figures));
        lines.push(Line::from(spans));
    }
    let gap = " ".repeat(10 + 1 + 5 + 1 + bar_heading.len() + 8 + 1 + 7 + 1 - 5);
    lines.push(look.line(format!("total{gap}{}", look.right(&seconds(total), 7)), Role::Title));
    lines
}

fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1000.0;
    if milliseconds < 9.995 { format!("{milliseconds:.2} ms") } else { format!("{milliseconds:.0} ms") }
}

fn seconds(seconds: f64) -> String {
    if seconds < 600.0 { format!("{seconds:.1} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::stages::Stage,
        tui::{
            symbols::UNICODE,
            theme::{Palette, Theme},
        },
    };

    #[test]
    fn shares_are_of_what_was_spent_and_the_columns_stand_below_each_other() {
        let look = Look { theme: Theme::new(Palette::None, crate::config::Theme::Mono), symbols: UNICODE };
        let spent = |stage, seconds, calls| StageTime { stage, seconds, calls };
        let stages =
            [spent(Stage::Decode, 1.0, 100), spent(Stage::Inference, 3.0, 50), spent(Stage::Track, 0.0, 0)];
        for width in [45, 60] {
            let lines: Vec<String> = lines(&stages, width, &look).iter().map(ToString::to_string).collect();
            assert_eq!(lines.len(), 4, "{lines:?}");
            assert!(lines[2].starts_with("inference    75%") && lines[2].contains("60 ms"), "{lines:?}");
            assert!(lines[3].starts_with("total") && lines[3].ends_with("4.0 s"), "{lines:?}");
            let widths: Vec<usize> = lines.iter().map(|line| crate::tui::text::width(line)).collect();
            assert!(widths.iter().all(|width| *width == widths[0]), "{lines:?}");
        }
    }
}
