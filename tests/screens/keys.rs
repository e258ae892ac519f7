//! What each key does, and that no key is silent.

use std::time::Duration;

use pcount::{
    engine::{EngineApi, EngineError},
    internals::tui::{
        Exit,
        effect::TerminalWork,
        keymap::{COMMANDS, Section},
        screen_id::ScreenId,
    },
    model::SourceState,
};

use super::{fake, stage::Stage};

fn two() -> Stage {
    Stage::new(vec![
        fake::counted(fake::source("camera_01", "Main Entrance", SourceState::Running), 12, 8),
        fake::counted(fake::source("camera_02", "Side Exit", SourceState::Running), 5, 7),
    ])
}

#[test]
fn pause_acts_on_the_selected_source_and_says_so() {
    let mut stage = two();
    stage.keys("jp");
    assert_eq!(stage.engine.take_sent(), ["pause camera_02"]);
    assert_eq!(stage.said(), "pausing 'Side Exit (camera_02)'");
}

#[test]
fn pause_resumes_what_is_paused() {
    let mut stage = Stage::new(vec![fake::source("camera_01", "Door", SourceState::Paused)]);
    stage.keys("p");
    assert_eq!(stage.engine.take_sent(), ["resume camera_01"]);
}

#[test]
fn marked_sources_are_acted_on_together() {
    let mut stage = two();
    stage.keys("  r");
    assert_eq!(stage.engine.take_sent(), ["restart camera_01", "restart camera_02"]);
    assert_eq!(stage.said(), "restarting 2 sources");
    stage.keys("<esc>p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_02"]);
}

#[test]
fn pause_all_pauses_then_resumes() {
    let mut stage = two();
    stage.keys("P");
    assert_eq!(stage.engine.take_sent(), ["pause all true"]);
    stage.engine.change(|snapshot| {
        for source in &mut snapshot.sources {
            std::sync::Arc::make_mut(source).state = SourceState::Paused;
        }
    });
    stage.tick();
    stage.keys("P");
    assert_eq!(stage.engine.take_sent(), ["pause all false"]);
}

#[test]
fn removing_and_resetting_ask_first() {
    let mut stage = two();
    stage.keys("d");
    assert!(stage.text(80, 24).contains("Main Entrance (camera_01)"));
    stage.keys("n");
    assert_eq!(stage.engine.take_sent(), Vec::<String>::new());
    stage.keys("dy");
    assert_eq!(stage.engine.take_sent(), ["remove camera_01"]);
    stage.keys("R<enter>");
    assert_eq!(stage.engine.take_sent(), Vec::<String>::new(), "Enter alone must not reset");
    assert!(stage.text(80, 24).contains("press y for yes"));
    stage.keys("y");
    assert_eq!(stage.engine.take_sent(), ["reset camera_01"]);
}

#[test]
fn a_key_never_acts_on_a_row_that_another_screen_hides() {
    for screen in ["?", "W", "L", "H"] {
        for key in ["p", "r", "d", "R", "P", "E", "s", "o", "5"] {
            let mut stage = two();
            stage.keys(screen);
            stage.keys(key);
            assert_eq!(stage.engine.take_sent(), Vec::<String>::new(), "{key} on {screen}");
            assert!(stage.session.ui.dialog.is_none(), "{key} on {screen} asks about something unseen");
            assert!(!stage.said().is_empty(), "{key} on {screen}");
            assert_eq!(
                stage.session.ui.context.arrangement(),
                two().session.ui.context.arrangement(),
                "{key} on {screen}"
            );
        }
    }
}

#[test]
fn on_the_log_of_a_source_keys_act_on_that_source() {
    let mut stage = two();
    stage.keys("l<tab>p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_02"], "the log shown, not the row of the overview");
}

#[test]
fn on_the_screen_of_one_source_marks_of_the_overview_do_not_count() {
    let mut stage = two();
    stage.keys("  g<enter>");
    stage.engine.take_sent();
    stage.keys("p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_01"]);
}

#[test]
fn marked_sources_that_the_filter_hides_are_left_alone() {
    let mut stage = two();
    stage.keys("  /side<enter>p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_02"]);
}

#[test]
fn the_wheel_moves_nothing_behind_a_dialog() {
    use crossterm::event::{KeyModifiers, MouseEvent, MouseEventKind};
    let mut stage = two();
    stage.keys(":");
    let kind = MouseEventKind::ScrollDown;
    stage.session.ui.mouse_event(MouseEvent { kind, column: 5, row: 5, modifiers: KeyModifiers::NONE });
    stage.keys("pause<enter>");
    assert_eq!(stage.engine.take_sent(), ["pause camera_01"]);
}

#[test]
fn the_selection_moves_on_when_its_source_is_removed() {
    let mut stage = two();
    stage.keys("j");
    stage.engine.change(|snapshot| {
        snapshot.sources.pop();
    });
    stage.tick();
    stage.keys("p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_01"]);
}

#[test]
fn the_selection_stays_with_its_source_when_rows_move() {
    let mut stage = Stage::new(fake::mixed());
    stage.keys("Go2");
    let selected = stage.session.ui.context.selected().unwrap().id.clone();
    assert_eq!(&*selected, "camera_06");
}

#[test]
fn workers_are_counted_up_and_down_between_their_bounds() {
    let mut stage = two();
    stage.keys("++");
    assert_eq!(stage.engine.take_sent(), ["workers 4"]);
    assert!(stage.said().contains("all 4 workers"), "{}", stage.said());
    stage.keys("---");
    assert_eq!(stage.engine.take_sent(), ["workers 3", "workers 2", "workers 1"]);
    stage.keys("-");
    assert!(stage.said().contains("last worker"), "{}", stage.said());
}

#[test]
fn freezing_holds_the_numbers_and_counting_goes_on() {
    let mut stage = two();
    stage.keys("f");
    stage.engine.change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).total_in = 4711);
    stage.tick();
    assert!(!stage.text(80, 24).contains("4711"));
    assert!(stage.text(80, 24).contains("FROZEN since 12:34:56"));
    stage.keys("f");
    assert!(stage.text(80, 24).contains("4711"));
}

#[test]
fn the_filter_works_while_it_is_typed() {
    let mut stage = two();
    stage.keys("/side");
    assert_eq!(stage.session.ui.context.rows().len(), 1);
    stage.keys("<enter>p");
    assert_eq!(stage.engine.take_sent(), ["pause camera_02"]);
    assert!(stage.text(80, 24).contains("1 of 2 shown (/side)"));
    stage.keys("<esc>");
    assert_eq!(stage.session.ui.context.rows().len(), 2);
    stage.keys("/!side<enter>r");
    assert_eq!(stage.engine.take_sent(), ["restart camera_01"]);
}

#[test]
fn sorting_by_a_number_twice_reverses() {
    let mut stage = two();
    stage.keys("o5g");
    assert_eq!(&*stage.session.ui.context.selected().unwrap().id, "camera_01");
    stage.keys("5g");
    assert_eq!(&*stage.session.ui.context.selected().unwrap().id, "camera_02");
    assert_eq!(stage.said(), "sorted by in, reversed");
}

#[test]
fn acknowledged_alerts_come_back_when_they_happen_anew() {
    let mut stage = Stage::new(vec![fake::retrying("camera_03", "Car Park")]);
    assert!(stage.text(80, 24).contains(" ▲ Car Park (camera_03): retrying"));
    stage.keys("c");
    assert!(stage.text(80, 24).contains("△ acknowledged: Car Park"));
    stage
        .engine
        .change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).state = SourceState::Running);
    stage.tick();
    stage.engine.change(|snapshot| {
        std::sync::Arc::make_mut(&mut snapshot.sources[0]).state = SourceState::Failed { next: None }
    });
    stage.tick();
    assert!(stage.text(80, 24).contains(" ▲ Car Park (camera_03): failed"));
}

#[test]
fn an_acknowledged_alert_stays_silent_over_further_attempts() {
    let mut stage = Stage::new(vec![fake::retrying("camera_03", "Car Park")]);
    stage.keys("c");
    for state in [SourceState::Connecting, fake::retrying("", "").state] {
        stage.engine.change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).state = state);
        stage.tick();
    }
    assert!(stage.text(80, 24).contains("△ acknowledged: Car Park"));
}

#[test]
fn quitting_asks_once_while_something_is_being_counted() {
    for second in ["q", "<enter>", "y"] {
        let mut stage = two();
        assert!(stage.keys("q").is_empty());
        assert!(stage.text(80, 24).contains("2 cameras"), "{}", stage.text(80, 24));
        assert!(matches!(stage.keys(second)[..], [TerminalWork::Quit(Exit::Quit)]), "{second}");
    }
    for no in ["n", "<esc>", "<ctrl-c>"] {
        let mut stage = two();
        stage.keys("q");
        assert!(stage.keys(no).is_empty() && stage.session.ui.dialog.is_none(), "{no}");
    }
    let mut stage = Stage::new(fake::mixed());
    assert!(stage.keys("q").is_empty());
    assert!(stage.text(80, 24).contains("Test Video (video_01), 62% done"));
    assert!(matches!(stage.keys("y")[..], [TerminalWork::Quit(Exit::Quit)]));
    assert!(matches!(stage.keys("Q")[..], [TerminalWork::Quit(Exit::QuitKeepTable)]));
    assert!(matches!(stage.keys("<ctrl-c>")[..], [TerminalWork::Quit(Exit::Signal(2))]));
}

#[test]
fn quitting_does_not_ask_when_nothing_is_being_counted() {
    for state in
        [SourceState::Paused, SourceState::Failed { next: None }, SourceState::Disabled, fake::closed()]
    {
        let mut stage = Stage::new(vec![fake::source("camera_01", "Door", state)]);
        assert!(matches!(stage.keys("q")[..], [TerminalWork::Quit(Exit::Quit)]));
    }
}

#[test]
fn on_a_screen_that_is_too_small_q_says_that_it_asks() {
    let mut stage = two();
    stage.keys("q");
    assert!(stage.text(30, 8).contains("q again quits"), "{}", stage.text(30, 8));
    assert!(matches!(stage.keys("q")[..], [TerminalWork::Quit(Exit::Quit)]));
}

#[test]
fn ctrl_c_closes_what_is_asked_or_typed_and_then_ends() {
    for keys in ["a", "/", ":", "d", "R"] {
        let mut stage = two();
        stage.keys(keys);
        assert!(stage.keys("<ctrl-c>").is_empty(), "{keys}");
        assert!(stage.session.ui.dialog.is_none() && stage.session.ui.filter_input.is_none(), "{keys}");
        assert!(matches!(stage.keys("<ctrl-c>")[..], [TerminalWork::Quit(Exit::Signal(2))]), "{keys}");
    }
}

#[test]
fn of_a_paste_with_several_lines_the_first_is_taken_with_a_word() {
    let mut stage = two();
    stage.keys("/");
    stage.session.ui.paste("main\r\nside\r\n");
    assert_eq!(stage.session.ui.context.arrangement().filter, "main");
    assert!(stage.said().contains("2 lines were pasted"), "{}", stage.said());
}

#[test]
fn help_and_the_way_back_are_always_in_the_footer() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        for screen in ["", "<enter>", "E", "?", "H", "W", "L", "l"] {
            let mut stage = two();
            stage.keys(screen);
            for said in [false, true] {
                if said {
                    let text =
                        "saved to '/etc/pcount/config.json'; as it was before: '/etc/pcount/config.json.bak'";
                    stage.session.ui.context.say(text.repeat(3), pcount::internals::tui::context::Tone::Done);
                }
                let text = stage.text(width, height);
                let last = text.lines().last().unwrap();
                assert!(last.contains("? ") && last.contains("q "), "'{screen}' {width}x{height}: {last}");
            }
        }
    }
}

#[test]
fn help_is_searched_and_explains_glyphs_and_columns() {
    let mut stage = two();
    stage.keys("?/paused");
    let text = stage.text(120, 40);
    assert!(text.contains("paused by the user") && !text.contains("one row up"), "{text}");
    stage.keys("<enter>");
    assert!(stage.text(120, 40).contains("with 'paused'"));
    stage.keys("<esc>");
    assert!(stage.text(120, 40).contains("one row up"));
    stage.keys("/xyzzy<enter>");
    assert!(stage.text(120, 40).contains("Esc clears it"));
}

#[test]
fn the_palette_uses_the_room_and_begins_with_what_the_selected_source_can_do() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 50)] {
        let mut stage = two();
        stage.keys(":");
        let text = stage.text(width, height);
        let shown = COMMANDS.iter().filter(|c| text.contains(&format!(" {}  ", c.name))).count();
        assert!(shown >= COMMANDS.len().min(usize::from(height) - 6) - 1, "{shown} of {height}\n{text}");
        assert!(text.contains("edit-lines") && text.contains(" pause "), "{text}");
        stage.keys("previous-panel");
        assert!(stage.text(width, height).contains("previous-panel  shift-tab  "), "columns touch");
    }
}

#[test]
fn the_cursor_stands_where_text_is_typed() {
    let mut stage = two();
    assert_eq!(stage.caret(80, 24), None);
    stage.keys("/ab<left>");
    assert_eq!(stage.caret(80, 24), Some((3, 23)));
    stage.keys("<esc>:pau");
    let (x, y) = stage.caret(80, 24).unwrap();
    let text = stage.text(80, 24);
    let row: String = text.lines().nth(usize::from(y)).unwrap().chars().take(usize::from(x)).collect();
    assert!(row.ends_with(":pau"), "{row}");
}

#[test]
fn q_goes_back_from_other_screens() {
    let mut stage = two();
    stage.keys("?q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    stage.keys("L?");
    assert_eq!(stage.session.ui.screen(), ScreenId::Help);
    stage.keys("<esc><esc>");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
}

#[test]
fn the_preview_is_asked_for_only_while_it_shows() {
    let mut stage = two();
    stage.keys("v");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 true"]);
    stage.keys("j");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 false", "preview camera_02 true"]);
    stage.keys("?");
    assert_eq!(stage.engine.take_sent(), ["preview camera_02 false"]);
    stage.keys("q");
    assert_eq!(stage.engine.take_sent(), ["preview camera_02 true"]);
    stage.keys("v");
    assert_eq!(stage.engine.take_sent(), ["preview camera_02 false"]);
}

#[test]
fn a_source_opens_in_full_and_the_next_one_is_one_key_away() {
    let mut stage = two();
    stage.keys("<enter>v");
    assert!(stage.text(80, 24).contains("Main Entrance (camera_01)"), "{}", stage.text(80, 24));
    stage.keys("j");
    assert!(stage.text(80, 24).contains("Side Exit (camera_02)"));
    stage.wait_for("by the minute, last hour");
    stage.keys("++");
    stage.wait_for("by the hour, last 72 hours");
    assert!(stage.engine.take_sent().iter().all(|sent| !sent.starts_with("workers")));
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
}

#[test]
fn a_line_is_moved_named_and_saved() {
    let mut stage = two();
    stage.keys("E<down><shift-down>n<ctrl-u>gate<enter>x");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 true"], "nothing counts until Enter");
    stage.keys("<enter>");
    let sent = stage.engine.take_sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with("lines camera_01") && sent[0].contains("\"gate\""), "{sent:?}");
    assert!(sent[0].contains("a: [1.0, 0.56], b: [0.0, 0.56]"), "moved six hundredths and flipped: {sent:?}");
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
}

#[test]
fn a_zone_is_drawn_by_its_corners_and_saved() {
    let mut stage = two();
    stage.keys("Ez<tab><left>+<up>n<ctrl-u>till<enter>b<enter>");
    let sent = stage.engine.take_sent();
    assert!(sent[1].starts_with("lines camera_01"), "{sent:?}");
    assert!(sent[1].contains("\"till\"") && sent[1].contains("[0.29, 0.4]"), "moved by one step: {sent:?}");
    assert!(sent[1].contains("[0.495, 0.39]"), "a fifth corner, moved up: {sent:?}");
    assert!(sent[1].contains("anchor: Center"), "{sent:?}");
    assert!(stage.said().contains("'w' writes a configuration file"), "{}", stage.said());
    stage.keys("x");
    assert!(stage.said().contains("only lines are flipped"), "{}", stage.said());
    stage.keys("uuuu");
    assert!(stage.text(80, 24).contains("changed, Enter"));
}

#[test]
fn a_region_to_ignore_is_drawn_moved_removed_undone_and_saved() {
    let mut stage = two();
    stage.keys("EI<tab><left>+<up>");
    assert!(stage.text(80, 24).contains("ignored (2 of 2)"), "{}", stage.text(80, 24));
    for (key, said) in
        [("n", "has no name"), ("x", "only lines are flipped"), ("b", "the point of the lines")]
    {
        stage.keys(key);
        assert!(stage.said().contains(said), "{key}: {}", stage.said());
    }
    stage.keys("d");
    assert!(stage.text(80, 24).contains("(1 of 1)"), "{}", stage.text(80, 24));
    stage.keys("u<enter>");
    let sent = stage.engine.take_sent();
    let region = "ignore Some([[[0.39, 0.1], [0.495, 0.09], [0.6, 0.1], [0.6, 0.4], [0.4, 0.4]]])";
    assert!(sent[1].starts_with("lines camera_01") && sent[1].ends_with(region), "{sent:?}");
    // It is what the engine has by now: there is nothing left to change.
    stage.tick();
    stage.keys("<enter>");
    assert!(stage.said().contains("nothing was changed"), "{}", stage.said());
}

#[test]
fn what_is_ignored_would_not_have_been_counted() {
    let mut stage = two();
    stage.keys("E");
    stage.wait_for("with this: in 2, out 0; as it runs: in 2, out 0");
    // From above the line to the lower edge, where both walk.
    let down = "<shift-down>".repeat(6);
    stage.keys(&format!("I{down}<tab><tab><tab>{down}<tab>{down}"));
    stage.wait_for("with this: in 0, out 0 (all lines); as it runs: in 2, out 0");
}

#[test]
fn the_editor_tells_what_would_have_been_counted() {
    let mut stage = two();
    stage.keys("E");
    stage.wait_for("with this: in 2, out 0; as it runs: in 2, out 0");
    stage.keys("<shift-down><shift-down><shift-down><shift-down><shift-down><shift-down>");
    stage.wait_for("with this: in 1, out 0; as it runs: in 2, out 0");
    stage.keys("x");
    stage.wait_for("with this: in 0, out 1; as it runs: in 2");
    stage.keys("z");
    stage.wait_for("at most 1 inside, 2 stays of");
}

#[test]
fn lines_are_dragged_with_the_mouse_where_it_is_on() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let mut stage = two();
    *stage.engine.preview.lock() = Some(fake::preview());
    stage.keys("E");
    stage.tick();
    stage.text(80, 24);
    let area = stage.session.ui.context.geometry.picture;
    let mut mouse = |kind, column, row| {
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        stage.session.ui.mouse_event(event);
    };
    let middle = area.y + area.height / 2;
    mouse(MouseEventKind::Down(MouseButton::Left), area.x, middle);
    mouse(MouseEventKind::Drag(MouseButton::Left), area.x + area.width / 4, area.y);
    mouse(MouseEventKind::Up(MouseButton::Left), area.x, area.y);
    mouse(MouseEventKind::Drag(MouseButton::Left), area.x, area.bottom() - 1);
    let line = stage.session.ui.screens.lines.editor.as_ref().unwrap().line().unwrap().clone();
    assert!((line.a[0] - 0.25).abs() < 0.02 && line.a[1] < 0.05, "{line:?}");
    assert_eq!(line.b, [1.0, 0.5], "the other end stays");
}

#[test]
fn unsaved_lines_are_not_lost_by_one_key() {
    let mut stage = two();
    stage.keys("E<down>q");
    assert!(stage.said().contains("not saved"), "{}", stage.said());
    assert_eq!(stage.session.ui.screen(), ScreenId::Lines);
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    assert!(stage.engine.take_sent().iter().all(|sent| !sent.starts_with("lines")));
}

#[test]
fn the_log_of_a_source_shows_its_lines_only() {
    let mut stage = two();
    stage.keys("l");
    let text = stage.text(120, 40);
    assert!(text.contains("Frame processed") && !text.contains("no route to host"), "{text}");
    stage.keys("L");
    assert!(stage.text(120, 40).contains("no route to host"));
}

#[test]
fn logs_are_searched_and_thinned_out() {
    let mut stage = two();
    stage.keys("L-");
    assert!(!stage.text(120, 40).contains("Person detected"), "no details");
    stage.keys("--");
    let text = stage.text(120, 40);
    assert!(text.contains("refuses the user name") && !text.contains("no route"), "errors only: {text}");
    stage.keys("-");
    assert_eq!(stage.said(), "only errors are shown");
    stage.keys("+++/camera !fps<enter>");
    let text = stage.text(120, 40);
    assert!(text.contains("no route") && !text.contains("FPS=") && !text.contains("ENGINE"), "{text}");
}

#[test]
fn yesterday_is_two_keys_away_and_last_week_three() {
    let mut stage = two();
    stage.keys("H");
    stage.wait_for("Today, Saturday 14 March 2026");
    stage.keys("<left>");
    stage.wait_for("Yesterday, Friday 13 March 2026");
    stage.wait_for("All sources");
    stage.keys("<right>");
    stage.wait_for("Today, ");
    stage.keys("<right>");
    assert_eq!(stage.said(), "the next day has not begun yet");
    stage.keys("+");
    stage.wait_for("This week, 9 to 15 March 2026, by day");
    stage.keys("<left>");
    stage.wait_for("Last week, 2 to 8 March 2026");
    stage.keys("+<left>");
    stage.wait_for("disk I/O error");
    stage.keys("+");
    assert!(stage.said().starts_with("a month is the longest time"), "{}", stage.said());
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
}

#[test]
fn the_history_tells_sources_and_lines_apart_and_opens_days() {
    let mut stage = two();
    stage.keys("H");
    stage.wait_for("All sources");
    stage.keys("jj");
    let text = stage.text(120, 40);
    assert!(text.contains("Main Entrance") && text.contains("line gate"), "{text}");
    let heading = |stage: &mut Stage, what: &str| stage.text(120, 40).contains(&format!("─ {what} ─"));
    assert!(heading(&mut stage, "line door"), "{text}");
    stage.keys("k");
    assert!(stage.text(120, 40).contains("not watched: 03:10 to 03:46"), "{}", stage.text(120, 40));
    // The chosen source stays chosen in another time.
    stage.keys("+<left>");
    stage.wait_for("Last week");
    stage.wait_for("Mon 2 Mar");
    assert!(heading(&mut stage, "Main Entrance (camera_01)"), "{}", stage.text(120, 40));
    stage.keys("<tab>j<enter>");
    stage.wait_for("Tuesday 3 March 2026, by the hour");
    stage.wait_for("01:00");
    stage.keys("<enter>");
    stage.wait_for("by 15 minutes");
    stage.wait_for("06:15");
    // There is no shorter step: then the crossings of that time.
    stage.keys("<enter>");
    stage.wait_for("the quarter of an hour from");
}

#[test]
fn the_history_is_written_and_copied_and_says_where() {
    let mut stage = two();
    stage.keys("H<left>");
    stage.wait_for("Yesterday");
    stage.wait_for("All sources");
    stage.keys("e");
    stage.wait_for("written to 'results/reports/2026-03-13.csv'");
    match &stage.keys("jy")[..] {
        [TerminalWork::Copy(text)] => {
            assert!(text.starts_with("camera_01: Yesterday, Friday 13 March 2026\nstart\tin\tout"), "{text}");
            assert!(text.contains("2026-03-13T01:00:00+00:00\t4\t1\t+3\t0\t100 %"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_report_that_takes_its_time_does_not_hold_the_one_asked_for_last() {
    let mut stage = two();
    stage.keys("H<left><left><left><left>");
    stage.wait_for("Tuesday 10 March 2026");
    stage.wait_for("All sources");
    assert!(stage.session.ui.screens.history.report().is_some());
}

#[test]
fn every_pane_of_a_source_is_one_key_away() {
    for (key, what) in [
        ("2", "8.0 a second"),
        ("3", "turned back"),
        ("4", "by the minute"),
        ("5", "inference"),
        ("6", "Frame processed"),
        ("7", "as many as are needed"),
    ] {
        let mut stage = two();
        stage.keys(&format!("j<enter>{key}k{key}"));
        if key == "3" {
            stage.keys("j");
        }
        stage.wait_for("");
        for _ in 0..2 {
            stage.tick();
        }
        assert!(stage.text(60, 16).contains(what), "{key}: {}", stage.text(60, 16));
        stage.keys("<tab><shift-tab>");
        assert!(stage.text(60, 16).contains(what), "{key}: {}", stage.text(60, 16));
    }
    let mut stage = two();
    stage.keys("<enter>8");
    assert_eq!(stage.said(), "'8' (by limit) is for the overview; 'q' goes back");
}

#[test]
fn the_picture_is_asked_for_only_while_its_pane_shows() {
    let mut stage = two();
    stage.keys("<enter>");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 true"]);
    stage.keys("6");
    stage.text(60, 16);
    stage.tick();
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 false"]);
    stage.keys("1");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 true"]);
    stage.keys("v<left>");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 false"]);
    assert!(stage.text(60, 16).contains("Config"), "the way round leaves out a picture that is off");
}

#[test]
fn long_panes_are_scrolled_by_pages() {
    let mut stage = two();
    let line = stage.host.logs.lines(|line| line.camera.as_deref() == Some("camera_01")).remove(0);
    for number in 0..40 {
        let message = format!("line {number}");
        stage.host.logs.push(pcount::internals::logging::LogLine { message, ..(*line).clone() });
    }
    stage.keys("<enter>6");
    let end = stage.text(60, 16);
    assert!(end.contains("more (pgup)") && end.contains("line 39"), "{end}");
    stage.keys("<pgup>");
    let before = stage.text(60, 16);
    assert!(!before.contains("line 39"), "{before}");
    stage.keys("G");
    assert_eq!(stage.text(60, 16), end);
}

#[test]
fn workers_are_seen_and_changed_on_their_own_screen() {
    let mut stage = two();
    stage.keys("W");
    let text = stage.text(120, 40);
    for what in ["3 of 4 on", "Restarts", "52310", "next: video_01", "Main Entrance"] {
        assert!(text.contains(what), "{what}: {text}");
    }
    stage.keys("+");
    assert_eq!(stage.engine.take_sent(), ["workers 4"]);
    stage.keys("jl");
    assert!(stage.text(120, 40).contains("Log: worker 2"), "{}", stage.text(120, 40));
    stage.keys("qq");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
    let mut stage = Stage::read_only(fake::mixed());
    stage.keys("W+");
    assert!(stage.said().contains("read-only"));
}

#[test]
fn tab_goes_through_the_logs() {
    let mut stage = two();
    stage.keys("L-");
    for name in [
        "Main Entrance (camera_01)",
        "Side Exit (camera_02)",
        "worker 1",
        "worker 2",
        "worker 3",
        "worker 4",
        "all",
    ] {
        stage.keys("<tab>");
        assert!(stage.text(120, 40).contains(&format!("Log: {name}, following, INFO")), "{name}");
    }
    stage.keys("<shift-tab>");
    assert!(stage.text(120, 40).contains("Log: worker 4"));
    stage.keys("q");
    assert_eq!(stage.session.ui.screen(), ScreenId::Overview);
}

#[test]
fn lines_stay_where_they_are_while_somebody_reads_further_up() {
    let mut stage = two();
    let logs = std::sync::Arc::clone(&stage.host.logs);
    let line = logs.lines(|_| true).remove(0);
    let push = |number: usize| {
        logs.push(pcount::internals::logging::LogLine {
            message: format!("line {number}"),
            ..(*line).clone()
        });
    };
    (0..40).for_each(push);
    stage.keys("Lkk");
    let before = stage.text(80, 24);
    let row = |text: &str| text.lines().nth(3).map(str::to_string);
    push(40);
    stage.tick();
    assert_eq!(row(&stage.text(80, 24)), row(&before));
    assert!(stage.text(80, 24).contains("3 newer"), "{}", stage.text(80, 24));
    stage.keys("G");
    assert!(stage.text(80, 24).contains("line 40"));
}

#[test]
fn long_lines_are_read_sideways_and_copied_whole() {
    let mut stage = two();
    stage.keys("L<right>");
    let text = stage.text(80, 24);
    assert!(text.contains("from column 21") && !text.contains("Starting 8 sources"), "{text}");
    stage.keys("<left><left>");
    assert_eq!(stage.said(), "there is nothing more this way");
    match &stage.keys("y")[..] {
        [TerminalWork::Copy(text)] => {
            assert!(text.contains("[ENGINE] [INFO] Starting 8 sources with 3 workers\n"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn copy_gives_the_row_as_text() {
    let mut stage = two();
    match &stage.keys("y")[..] {
        [TerminalWork::Copy(text)] => {
            assert_eq!(text, "camera_01\tMain Entrance\tRunning\tFPS 25.3\tin 12\tout 8\tcurrent 4");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn export_says_where_it_went() {
    let mut stage = two();
    stage.keys("e");
    assert_eq!(stage.said(), "exporting the results");
    stage.wait_for("written to");
    assert_eq!(stage.said(), "written to 'results/2026-03-14'");
}

#[test]
fn the_palette_finds_and_runs_commands() {
    let mut stage = two();
    stage.keys(":reset<enter>");
    assert!(stage.text(80, 24).contains("Set these counts to zero?"));
    let mut stage = two();
    stage.keys(":pause<down><enter>");
    assert_eq!(stage.engine.take_sent(), ["pause all true"]);
}

#[test]
fn read_only_refuses_what_changes_anything_and_says_why() {
    let changing: Vec<_> = COMMANDS.iter().filter(|command| command.changes).collect();
    assert!(changing.len() > 5, "{}", changing.len());
    for command in changing.into_iter().filter(|command| !command.keys.is_empty()) {
        let mut stage = Stage::read_only(fake::mixed());
        if !command.works_on(ScreenId::Overview) {
            assert!(
                command.works_on(ScreenId::Crossings),
                "{}: the line editor cannot be opened",
                command.name
            );
            stage.keys("i");
        }
        stage.keys(&format!("<{}>", command.keys[0]));
        assert!(stage.said().contains("read-only"), "{}", command.name);
        assert!(stage.session.ui.dialog.is_none(), "{}", command.name);
        assert_eq!(stage.engine.take_sent(), Vec::<String>::new(), "{}", command.name);
    }
    let mut stage = Stage::read_only(fake::mixed());
    stage.keys("+");
    assert!(stage.said().contains("read-only"));
    stage.keys("v");
    assert_eq!(stage.engine.take_sent(), ["preview camera_01 true"], "looking is allowed");
}

#[test]
fn a_person_says_how_many_are_inside_an_area() {
    let mut stage = two().with_areas();
    stage.keys("A12<enter>");
    assert_eq!(stage.engine.take_sent(), ["area hall set 12 by "]);
    assert_eq!(stage.said(), "area 'hall' is corrected to 12");
    assert!(stage.session.ui.dialog.is_none());
    stage.keys("A<tab>3<enter>");
    assert_eq!(stage.engine.take_sent(), ["area yard set 3 by "]);
    stage.keys("A7<esc>");
    assert!(stage.session.ui.dialog.is_none());
    assert_eq!(stage.engine.take_sent(), Vec::<String>::new(), "Esc changes nothing");
}

#[test]
fn what_is_no_number_of_people_is_refused_with_the_reason_and_stays_to_be_corrected() {
    for typed in ["", "-1", "some", "1.5", "1000001", "99999999999999999999"] {
        let mut stage = two().with_areas();
        stage.keys(&format!("A{typed}<enter>"));
        assert_eq!(stage.engine.take_sent(), Vec::<String>::new(), "{typed}");
        let text = stage.text(80, 24);
        assert!(text.contains("a number from 0 to 1000000"), "{typed}: {text}");
        stage.keys("<ctrl-u>0<enter>");
        assert_eq!(stage.engine.take_sent(), ["area hall set 0 by "], "{typed}");
    }
}

#[test]
fn a_correction_that_the_engine_refuses_is_said() {
    let mut stage = two().with_areas();
    *stage.engine.refusal.lock() = Some(EngineError::UnknownArea("hall".into()));
    stage.keys("A1<enter>");
    stage.wait_for("hall");
    assert_ne!(stage.said(), "area 'hall' is corrected to 1");
}

#[test]
fn a_dashboard_that_may_only_read_corrects_no_area() {
    let mut stage = Stage::read_only(fake::mixed()).with_areas();
    assert!(!stage.text(120, 40).contains("A corrects"));
    stage.keys("A");
    assert_eq!(stage.said(), "read-only: started with '--read-only'");
    assert!(stage.session.ui.dialog.is_none());
}

/// A key does something to be seen, or says why not: on every screen, with sources and without.
#[test]
fn no_key_is_silent() {
    let screens: [&[&str]; 12] = [
        &[],
        &["?"],
        &["L"],
        &["l"],
        &["<enter>"],
        &["E"],
        &["H"],
        &["W"],
        &["i"],
        &["!"],
        &["V"],
        &["<tab>", "<tab>"],
    ];
    for sources in [fake::mixed(), Vec::new()] {
        for path in screens {
            for command in COMMANDS {
                for key in command.keys {
                    let mut stage = Stage::new(sources.clone());
                    path.iter().for_each(|key| drop(stage.keys(key)));
                    stage.pass(Duration::from_secs(7));
                    stage.engine.take_sent();
                    stage.keys("<ctrl-l>");
                    let before = stage.picture(80, 24);
                    let effects = stage.keys(&format!("<{key}>"));
                    let after = stage.picture(80, 24);
                    let acted = !effects.is_empty() || !stage.engine.take_sent().is_empty();
                    // At the end of a list there is nothing to see and nothing to say.
                    let moves = command.section == Section::Move;
                    assert!(before != after || acted || moves, "{} ({key}) on {path:?}", command.name);
                }
            }
        }
    }
}

#[test]
fn unknown_keys_point_to_the_help() {
    let mut stage = two();
    stage.keys("Z");
    assert_eq!(stage.said(), "'Z' does nothing here; '?' lists the keys");
    stage.pass(Duration::from_secs(7));
    assert_eq!(stage.said(), "", "messages go after six seconds");
}

#[test]
fn pasted_text_goes_where_text_is_typed() {
    let mut stage = two();
    stage.session.ui.paste("rtsp://10.0.0.9/1\n");
    assert!(stage.said().contains("'a' adds a source"));
    stage.keys("a");
    stage.session.ui.paste("  demo:lobby\n");
    stage.keys("<enter>");
    assert_eq!(stage.engine.take_sent()[0], "add demo_lobby demo:lobby");
}

#[test]
fn nothing_changes_without_a_reason() {
    let mut stage = two();
    stage.session.ui.context.take_changed();
    stage.tick();
    assert!(!stage.session.ui.context.take_changed(), "same generation, same second");
    stage.engine.change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).fps = 24.9);
    stage.tick();
    assert!(!stage.session.ui.context.take_changed(), "rates wait for the next second");
    stage.engine.change(|snapshot| std::sync::Arc::make_mut(&mut snapshot.sources[0]).total_in = 13);
    stage.tick();
    assert!(stage.session.ui.context.take_changed(), "a count does not");
    stage.pass(Duration::from_secs(1));
    assert!(stage.session.ui.context.take_changed(), "the clock's next second");
}

#[test]
fn every_control_is_reachable_by_a_key() {
    let engine = fake::FakeEngine::new(fake::mixed());
    assert_eq!(engine.snapshot().sources.len(), 8);
    for action in [
        "pause",
        "pause-all",
        "restart",
        "reset",
        "remove",
        "add",
        "more-workers",
        "fewer-workers",
        "preview",
    ] {
        let command = COMMANDS.iter().find(|command| command.name == action).unwrap();
        assert!(!command.keys.is_empty(), "{action}");
    }
}

#[test]
fn the_manual_names_every_key_but_those_that_move() {
    let manual = include_str!("../../docs/dashboard.md").to_lowercase();
    for command in COMMANDS.iter().filter(|c| !matches!(c.section, Section::Move | Section::Lines)) {
        let Some(key) = command.keys.first() else { continue };
        let by_number = key.parse::<u8>().is_ok() && manual.contains("`1`-`9`");
        assert!(
            manual.contains(&format!("`{}`", key.to_lowercase())) || by_number,
            "'{key}' ({})",
            command.name
        );
    }
}
