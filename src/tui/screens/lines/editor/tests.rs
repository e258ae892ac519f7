//! Lines and zones being drawn.

use super::{warn::heights, *};
use crate::{
    count::replay::Paths,
    geometry::BBox,
    model::Preview,
    track::{Track, TrackUpdate},
};

fn editor() -> Editor {
    let line = LineConfig { name: "door".into(), a: [0.2, 0.5], b: [0.8, 0.5], anchor: Anchor::Foot };
    Editor::new("camera_01".into(), Drawn { lines: vec![line], ..Drawn::default() })
}

#[test]
fn a_line_keeps_its_shape_at_the_edge_and_never_leaves_the_picture() {
    let mut editor = editor();
    editor.shift(0.5, -0.9);
    assert_eq!((editor.lines()[0].a, editor.lines()[0].b), ([0.4, 0.0], [1.0, 0.0]));
}

#[test]
fn ends_move_alone_and_tab_goes_round() {
    let mut editor = editor();
    editor.next_grip(false);
    assert_eq!(editor.grip(), Grip::Point(0));
    editor.shift(-1.0, 0.1);
    assert_eq!((editor.lines()[0].a, editor.lines()[0].b), ([0.0, 0.6], [0.8, 0.5]));
    editor.add();
    editor.next_grip(true);
    assert_eq!((editor.chosen(), editor.grip()), (0, Grip::Point(1)));
}

#[test]
fn six_turns_of_fifteen_degrees_stand_the_line_up() {
    let mut editor = editor();
    for _ in 0..6 {
        editor.turn(TURN, 16.0 / 9.0);
    }
    let line = editor.line().unwrap();
    // A line of 0.6 widths is longer than the picture is high.
    assert!((line.a[0] - 0.5).abs() < 0.01 && (line.b[0] - 0.5).abs() < 0.01, "{line:?}");
    assert!(line.a[1] < 0.05 && line.b[1] > 0.95, "{line:?}");
}

#[test]
fn flipping_twice_changes_nothing() {
    let mut editor = editor();
    editor.flip().unwrap();
    assert!(editor.is_changed());
    editor.flip().unwrap();
    assert!(!editor.is_changed());
}

#[test]
fn names_are_unique_and_one_line_stays() {
    let mut editor = editor();
    assert!(editor.remove().is_err());
    editor.add();
    assert!(editor.rename("door").is_err());
    assert!(editor.rename(" ").is_err());
    editor.rename("gate").unwrap();
    assert_eq!(editor.line().unwrap().name, "gate");
    editor.remove().unwrap();
    assert_eq!(editor.lines().len(), 1);
}

#[test]
fn lines_at_the_edge_and_small_people_are_warned_of() {
    let mut editor = editor();
    assert_eq!(editor.warnings(None), Vec::<String>::new());
    editor.shift(0.0, 0.48);
    assert!(editor.warnings(None)[0].contains("lower edge"));
    let small = crate::model::ShownTrack {
        id: 1,
        bbox: crate::geometry::BBox::new(0.8, 0.93, 0.02, 0.05),
        confirmed: true,
        seen: true,
    };
    let preview =
        Preview { size: (160, 90), rgb: Vec::new(), tracks: vec![small], taken: crate::model::Moment::START };
    assert!(editor.warnings(Some(&preview))[1].contains("5 % of the frame"));
}

#[test]
fn zones_are_moved_by_their_corners_and_keep_three() {
    let mut editor = editor();
    editor.add_zone();
    assert_eq!((editor.chosen(), editor.name()), (1, "zone_1"));
    editor.shift(0.0, 0.5);
    assert_eq!(editor.zone().unwrap().points[2], [0.7, 1.0], "as far as the edge");
    editor.next_grip(false);
    editor.shift(-0.1, 0.0);
    assert_eq!(editor.zone().unwrap().points[..2], [[0.2, 0.6], [0.7, 0.6]]);
    editor.add_corner().unwrap();
    assert_eq!((editor.zone().unwrap().points.len(), editor.grip()), (5, Grip::Point(1)));
    editor.remove_corner().unwrap();
    editor.remove_corner().unwrap();
    assert!(editor.remove_corner().is_err() && editor.flip().is_err());
    assert_eq!(editor.next_anchor(), Ok(Anchor::Center));
    editor.rename("till").unwrap();
    assert!(editor.rename("door").is_err(), "the line has it");
    editor.remove().unwrap();
    assert!(editor.zones().is_empty());
}

#[test]
fn ignored_regions_are_drawn_like_zones_and_have_neither_name_nor_side_nor_point_of_their_own() {
    let mut editor = editor();
    editor.add_ignored();
    assert_eq!((editor.shape(), editor.count()), (Shape::Ignored(0), 2));
    editor.shift(-0.5, -0.5);
    assert_eq!(editor.ignored()[0][0], [0.0, 0.0], "as far as the corner");
    editor.next_grip(false);
    editor.add_corner().unwrap();
    assert_eq!((editor.ignored()[0].len(), editor.grip()), (5, Grip::Point(1)));
    assert!(editor.flip().is_err() && editor.next_anchor().is_err() && editor.rename("tv").is_err());
    // A zone comes before it, and leaves it what it is.
    let region = editor.ignored()[0].clone();
    editor.add_zone();
    assert_eq!((editor.shape(), editor.name()), (Shape::Zone(0), "zone_1"));
    editor.shift(0.1, 0.0);
    assert_eq!(editor.ignored(), [region]);
    editor.remove().unwrap();
    assert_eq!(editor.shape(), Shape::Ignored(0), "what comes after it is chosen");
    editor.remove().unwrap();
    assert!(!editor.is_changed() && editor.ignored().is_empty());
    assert!(editor.undo() && editor.ignored().len() == 1);
}

#[test]
fn a_region_over_a_line_is_warned_of_on_both() {
    let mut editor = editor();
    editor.add_ignored();
    assert_eq!(editor.warnings(None), Vec::<String>::new());
    editor.drawn.ignore[0] = vec![[0.1, 0.4], [0.9, 0.4], [0.9, 0.6], [0.1, 0.6]];
    assert!(editor.warnings(None)[0].contains("'door' lies in it"), "{:?}", editor.warnings(None));
    editor.chosen = 0;
    assert!(editor.warnings(None)[0].contains("nobody is counted here"), "{:?}", editor.warnings(None));
    editor.drawn.ignore[0][1][0] = 0.5;
    assert_eq!(editor.warnings(None), Vec::<String>::new(), "a part of the line is enough");
}

#[test]
fn changes_are_taken_back_one_by_one_and_moves_together() {
    let mut editor = editor();
    editor.shift(0.01, 0.0);
    editor.shift(0.01, 0.0);
    editor.add_zone();
    assert!(editor.undo() && editor.zones().is_empty());
    assert!(editor.undo() && !editor.is_changed());
    assert!(!editor.undo());
}

#[test]
fn the_mouse_takes_ends_first_and_sides_else() {
    let mut editor = editor();
    let reach = (0.02, 0.04);
    assert!(!editor.grab((0.5, 0.9), reach));
    assert!(editor.grab((0.79, 0.52), reach));
    assert_eq!(editor.grip(), Grip::Point(1));
    editor.drag((0.9, 0.3));
    assert_eq!(editor.line().unwrap().b, [0.9, 0.3]);
    assert!(editor.grab((0.2 + 0.35, 0.4), reach));
    assert_eq!(editor.grip(), Grip::Whole);
}

#[test]
fn zones_that_hold_nobody_are_warned_of() {
    let mut editor = editor();
    editor.add_zone();
    assert_eq!(editor.warnings(None), Vec::<String>::new());
    editor.next_grip(false);
    editor.shift(0.5, 0.1);
    assert!(editor.warnings(None)[0].contains("sides cross"), "{:?}", editor.warnings(None));
}

/// Somebody of `height` who stands at (0.5, `foot`) of a picture twice as wide as high.
fn stands(paths: &mut Paths, from: f64, foot: f32, height: f32) {
    let bbox = BBox::new(1.0 - height / 8.0, foot - height, height / 4.0, height);
    let track = Track { id: 1, bbox, score: 0.9, confirmed: true, seen: true, from_flow: false };
    for step in 0..10 {
        let update = TrackUpdate { tracks: vec![track], ..TrackUpdate::default() };
        paths.push(2.0, from + f64::from(step), &update);
    }
}

#[test]
fn small_people_of_the_last_minutes_are_warned_of_where_they_walked() {
    let mut editor = editor();
    editor.add_zone();
    let mut paths = Paths::default();
    stands(&mut paths, 0.0, 0.52, 0.05);
    stands(&mut paths, 20.0, 0.95, 0.3);
    let drawn = editor.drawn().clone();
    let found = heights(&paths, &drawn);
    assert!((found[0].unwrap() - 0.05).abs() < 0.01, "at the line: {found:?}");
    assert!((found[1].unwrap() - 0.05).abs() < 0.01, "in the zone: {found:?}");
    let device = crate::config::SourceSpec::device(0);
    let mut config = crate::config::SourceConfig::new("a", crate::model::SourceKind::Camera, device);
    config.set_drawn(drawn.clone());
    let replay = paths.replay(&config);
    editor.replayed = Some(Replayed {
        drawn,
        with: replay.clone(),
        as_it_runs: replay,
        walked: Arc::default(),
        heights: found,
    });
    let warnings = editor.warnings(None);
    assert!(warnings[0].contains("5 % of the frame's height over the last"), "{warnings:?}");
    editor.shift(0.0, 0.02);
    assert!(editor.warnings(None).is_empty(), "not known yet for what was moved");
    let mut nobody = Paths::default();
    stands(&mut nobody, 0.0, 0.2, 0.05);
    assert_eq!(heights(&nobody, editor.drawn()), [None, None]);
}
