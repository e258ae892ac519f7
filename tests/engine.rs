//! The engine end to end on scripted sources: parallel sources, errors of one that are nobody else's,
//! recovery, release, live changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use pcount::{
    config::{Cadence, DetectorChoice, ParallelConfig, SourceConfig},
    engine::{Control, Engine, EngineApi, EngineError, EngineOptions, Heartbeat, Sink},
    geometry::Anchor,
    internals::{
        detect::Model,
        source::{Opener, SourceError},
    },
    model::{
        AlertKind, Drawn, Event, EventKind, Polygon, SourceKind, SourceState, StateKind, Strategy,
        TaskResult, ZoneConfig,
    },
};
use support::{Scripted, Walk, White, World, source, world};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn counts_of_files_are_exact_and_the_same_for_any_number_of_workers_and_either_strategy() {
    for strategy in [Strategy::Shared, Strategy::Dedicated] {
        for workers in [1, 2, 4, 8] {
            let world = world(workers, 8, strategy, |id, _| {
                let periods = id.trim_start_matches("video_").parse::<u64>().unwrap();
                Ok(Walk::file(60 * periods, 60))
            });
            for periods in 1..=5 {
                world.engine.add_source(source(&format!("video_{periods}"), SourceKind::Video)).unwrap();
            }
            world.engine.start().unwrap();
            world.until_over();
            for periods in 1..=5_u64 {
                let shown = world.source(&format!("video_{periods}"));
                assert_eq!(
                    (shown.total_in, shown.total_out),
                    (periods, periods),
                    "{workers} workers, {strategy:?}"
                );
                assert_eq!(shown.frames, 60 * periods);
                assert_eq!(shown.dropped, 0);
                assert_eq!(shown.state, SourceState::Completed);
                assert_eq!(world.record.crossings(&shown.id) as u64, 2 * periods);
                assert_eq!(world.engine.result(&shown.id).unwrap().total_in, periods);
                let counted = &world.engine.metrics().sources[&shown.id];
                assert_eq!((counted.frames, counted.dropped), (shown.frames, 0));
                assert_eq!(counted.detections, shown.total_detections);
                assert_eq!(counted.crossings.values().sum::<u64>(), 2 * periods);
            }
            assert_eq!(world.engine.snapshot().totals(), (15, 15, 0));
            assert_eq!(world.loaded.load(Ordering::SeqCst), 1, "the model is loaded once");
            assert_eq!(world.engine.stop(SECONDS(10)), 0);
        }
    }
}

#[test]
fn frames_chosen_by_need_are_the_same_ones_for_any_number_of_workers() {
    let run = |workers| {
        let world = world(workers, 8, Strategy::Shared, |_, _| Ok(Walk::file(600, 60)));
        for id in ["video_1", "video_2"] {
            let source = SourceConfig { cadence: Cadence::Auto, ..source(id, SourceKind::Video) };
            world.engine.add_source(source).unwrap();
        }
        world.engine.start().unwrap();
        world.until_over();
        let shown = world.source("video_2");
        assert_eq!((shown.total_in, shown.total_out, shown.frames), (10, 10, 600), "{workers} workers");
        assert_eq!(world.engine.stop(SECONDS(10)), 0);
        shown.total_detections
    };
    let looks = run(1);
    assert!((150..250).contains(&looks), "{looks} of 600 frames were looked at");
    for workers in [2, 4, 8, 2] {
        assert_eq!(run(workers), looks, "{workers} workers");
    }
}

#[test]
fn a_limit_that_is_reached_is_told_with_whose_it_is() {
    let world = world(1, 1, Strategy::Shared, |_, _| Ok(Walk::file(120, 60)));
    let hall = ZoneConfig {
        name: "hall".into(),
        points: vec![[0.0, 0.6], [1.0, 0.6], [1.0, 1.0], [0.0, 1.0]],
        anchor: Anchor::Foot,
        threshold: Some(1),
    };
    let zones = vec![ZoneConfig { threshold: None, name: "yard".into(), ..hall.clone() }, hall];
    let source = SourceConfig { threshold: Some(2), zones, ..source("video", SourceKind::Video) };
    world.engine.add_source(source).unwrap();
    world.engine.start().unwrap();
    world.until_over();
    let told: Vec<_> = world
        .record
        .events
        .lock()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Threshold { zone, over, current, limit } => {
                Some((zone.clone().unwrap_or_default(), *over, *current, *limit))
            }
            _ => None,
        })
        .collect();
    let hall = |over, current| ("hall".to_owned(), over, current, 1);
    assert_eq!(told, [hall(true, 1), hall(false, 0), hall(true, 1), hall(false, 0)]);
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

/// The part of the frame in which the square walks, or the one left of it.
fn band(left: f32, right: f32) -> Vec<Polygon> {
    vec![vec![[left, 0.0], [right, 0.0], [right, 1.0], [left, 1.0]]]
}

#[test]
fn who_walks_in_an_ignored_region_is_not_counted_and_others_are() {
    let world = world(2, 4, Strategy::Shared, |_, _| Ok(Walk::file(120, 60)));
    let ignoring = |id: &str, ignore| SourceConfig { ignore, ..source(id, SourceKind::Video) };
    world.engine.add_source(ignoring("inside", band(0.4, 0.6))).unwrap();
    world.engine.add_source(ignoring("beside", band(0.0, 0.4))).unwrap();
    // A quarter of the frame's height.
    let tall = SourceConfig { max_height: Some(0.2), ..source("tall", SourceKind::Video) };
    world.engine.add_source(tall).unwrap();
    world.engine.start().unwrap();
    world.until_over();
    let counted = |id| {
        let shown = world.source(id);
        (shown.total_in, shown.total_out, shown.total_detections, shown.ignored)
    };
    assert_eq!(counted("inside"), (0, 0, 0, 120));
    assert_eq!(counted("tall"), (0, 0, 0, 120));
    assert_eq!(counted("beside"), (2, 2, 120, 0));
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn regions_that_are_drawn_while_it_runs_count_from_the_next_frame_on() {
    let world = world(1, 1, Strategy::Shared, |_, _| Ok(Walk::camera(60)));
    let mut camera = source("camera", SourceKind::Camera);
    camera.ignore = band(0.4, 0.6);
    world.engine.add_source(camera.clone()).unwrap();
    world.engine.start().unwrap();
    world.until("frames", |world| world.source("camera").frames > 150);
    assert_eq!(world.source("camera").total_in, 0);
    let draw = |ignore| {
        let drawn = Drawn { ignore, ..camera.drawn() };
        world.engine.send(Control::set_drawn("camera".into(), drawn)).wait(SECONDS(30)).unwrap().unwrap();
    };
    let passes = || {
        let before = world.source("camera").frames;
        world.until("two periods", |world| world.source("camera").frames > before + 120);
        world.source("camera").total_in
    };
    draw(Vec::new());
    let seen = passes();
    assert!(seen > 0, "they are seen again");
    draw(band(0.4, 0.6));
    let hidden = world.source("camera").total_in;
    assert_eq!(passes(), hidden, "and not any more, and what was counted stays");
    // Other lines leave the regions as they are.
    let lines = Control::set_lines("camera".into(), camera.lines.clone(), Vec::new());
    world.engine.send(lines).wait(SECONDS(30)).unwrap().unwrap();
    assert_eq!(world.engine.source_config("camera").unwrap().ignore, band(0.4, 0.6));
    assert_eq!(passes(), hidden);
    assert_eq!(world.source("camera").reconnects, 0);
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn a_camera_that_sends_far_more_than_is_looked_at_is_told_of_smaller_streams() {
    let world = world(2, 2, Strategy::Shared, |id, _| {
        let mut walk = if id == "video" { Walk::file(60, 60) } else { Walk::camera(60) };
        walk.declared = if id == "small" { (640, 480) } else { (1280, 960) };
        Ok(walk)
    });
    for (id, kind) in
        [("large", SourceKind::Camera), ("small", SourceKind::Camera), ("video", SourceKind::Video)]
    {
        world.engine.add_source(source(id, kind)).unwrap();
    }
    world.engine.start().unwrap();
    world.until("the opening of all", |world| {
        ["large", "small", "video"].iter().all(|id| world.source(id).frames > 0)
    });
    let hints = ["large", "small", "video"].map(|id| world.source(id).substream);
    assert_eq!(hints, [Some((640, 480)), None, None]);
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn a_camera_and_a_video_run_together_and_the_camera_never_blocks_the_video() {
    let world = world(1, 1, Strategy::Shared, |id, _| {
        Ok(if id == "camera" { Walk::camera(60) } else { Walk::file(120, 60) })
    });
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.add_source(source("video", SourceKind::Video)).unwrap();
    world.engine.start().unwrap();
    world.until("the end of the video", |w| w.state("video") == SourceState::Completed);
    world.until("a crossing of the camera", |w| w.source("camera").total_in > 0);
    assert_eq!(world.state("camera"), SourceState::Running);
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
    let last = world.record.results.lock().iter().rfind(|r| r.camera_id == "camera").cloned().unwrap();
    assert_eq!(last.total_in, world.source("camera").total_in, "the final result holds the final count");
}

#[test]
fn a_panic_in_one_source_is_that_sources_failure_and_nobody_elses() {
    let world = world(2, 2, Strategy::Shared, |id, _| {
        let mut walk = Walk::file(120, 60);
        walk.panic_at = (id == "poisoned").then_some(30);
        Ok(walk)
    });
    for id in ["poisoned", "healthy_1", "healthy_2"] {
        world.engine.add_source(source(id, SourceKind::Video)).unwrap();
    }
    world.engine.start().unwrap();
    world.until_over();
    assert_eq!(world.state("poisoned"), SourceState::Failed { next: None });
    let error = world.source("poisoned").last_error.clone().unwrap();
    assert!(error.contains("marked frame"), "{error}");
    for id in ["healthy_1", "healthy_2"] {
        assert_eq!((world.source(id).frames, world.source(id).total_in), (120, 2));
    }
    world.engine.stop(SECONDS(10));
}

#[test]
fn a_panic_of_a_capture_thread_is_that_sources_failure_and_a_restart_may_mend_it() {
    let world = world(2, 2, Strategy::Shared, |id, attempt| {
        assert!(id != "poisoned" || attempt > 0, "no such luck");
        Ok(Walk::camera(60))
    });
    for id in ["poisoned", "healthy"] {
        world.engine.add_source(source(id, SourceKind::Camera)).unwrap();
    }
    world.engine.start().unwrap();
    world.until("the failure", |w| matches!(w.state("poisoned"), SourceState::Failed { .. }));
    let error = world.source("poisoned").last_error.clone().unwrap();
    assert!(error.contains("internal error") && error.contains("no such luck"), "{error}");
    world.engine.send(Control::restart("poisoned".into()));
    world.until("both", |w| w.source("poisoned").total_in > 0 && w.source("healthy").total_in > 0);
    assert_eq!(world.source("healthy").errors, 0);
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn files_that_wait_for_a_place_can_be_paused_restarted_and_removed() {
    let gate = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let opened = std::sync::Arc::clone(&gate);
    let world = world(2, 2, Strategy::Shared, move |id, _| {
        while id.starts_with("first") && !opened.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        Ok(Walk::file(120, 60))
    });
    for id in ["first_1", "first_2", "first_3", "paused", "again", "removed"] {
        world.engine.add_source(source(id, SourceKind::Video)).unwrap();
    }
    world.engine.start().unwrap();
    world.until("the queue", |w| w.engine.snapshot().queue_pending == 3);
    for control in [
        Control::pause("paused".into()),
        Control::restart("again".into()),
        Control::restart("again".into()),
        Control::Remove("removed".into()),
    ] {
        world.engine.send(control);
    }
    assert_eq!(world.state("again"), SourceState::Queued);
    gate.store(true, Ordering::SeqCst);
    world.until("the pause", |w| w.state("paused") == SourceState::Paused);
    world.until("the others", |w| w.state("again") == SourceState::Completed);
    world.engine.send(Control::resume("paused".into()));
    world.until_over();
    for id in ["first_1", "first_2", "first_3", "paused", "again"] {
        assert_eq!((world.source(id).frames, world.source(id).total_in), (120, 2), "{id}");
    }
    assert_eq!((world.opener.attempts("removed"), world.opener.attempts("again")), (0, 1));
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn restarts_in_any_number_at_any_moment_leave_every_file_counted_once() {
    let world = world(2, 2, Strategy::Shared, |_, _| Ok(Walk::file(240, 60)));
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        world.engine.add_source(source(id, SourceKind::Video)).unwrap();
    }
    world.engine.start().unwrap();
    for round in 0..400_usize {
        world.engine.send(Control::restart(ids[round * 7 % 5].into()));
        if round % 3 == 0 {
            std::thread::yield_now();
        }
        // Now and then to the very end, where a restart and the end of what it replaces meet.
        if round % 40 == 39 {
            world.until("an end", |w| ids.iter().any(|id| w.state(id) == SourceState::Completed));
        }
    }
    world.until_over();
    for id in ids {
        let shown = world.source(id);
        assert_eq!((shown.frames, shown.total_in, shown.total_out), (240, 4, 4), "{id}");
        assert_eq!(shown.state, SourceState::Completed, "{id}");
        // What is shown begins again with every restart, what is counted for monitoring does not.
        let counted = &world.engine.metrics().sources[id];
        assert_eq!(counted.crossings.values().sum::<u64>(), world.record.crossings(id) as u64, "{id}");
        assert!(counted.frames > shown.frames && counted.detections > shown.total_detections, "{id}");
    }
    assert_eq!(world.engine.stop(SECONDS(10)), 0);
}

#[test]
fn a_camera_that_breaks_off_comes_back_by_itself_and_keeps_its_counts() {
    let world = world(2, 2, Strategy::Shared, |_, attempt| {
        if attempt % 2 == 1 {
            return Err(SourceError::Unreachable("refused".into()));
        }
        let mut walk = Walk::camera(60);
        walk.break_at = Some(65);
        Ok(walk)
    });
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.start().unwrap();
    world.until("three openings", |w| w.opener.attempts("camera") >= 6);
    let shown = world.source("camera");
    assert!(shown.total_in >= 2 && shown.reconnects >= 2, "{shown:?}");
    assert!(shown.errors >= 4);
    world.engine.stop(SECONDS(10));
    let (shown, metrics) = (world.source("camera"), world.engine.metrics());
    let counted = &metrics.sources["camera"];
    assert_eq!((counted.reconnects, counted.dropped), (shown.reconnects, shown.dropped));
    assert_eq!(metrics.detection.count(), counted.detection_runs);
    let errors: Vec<_> = world.record.results.lock().iter().flat_map(|r| r.errors.clone()).collect();
    assert!(errors.iter().any(|e| e.contains("refused")) && errors.iter().any(|e| e.contains("unplugged")));
}

#[test]
fn who_has_seen_an_alert_is_known_to_all_until_it_is_over() {
    let is_there = Arc::new(AtomicBool::new(false));
    let opens = Arc::clone(&is_there);
    let world = world(2, 2, Strategy::Shared, move |_, _| {
        if opens.load(Ordering::SeqCst) {
            Ok(Walk::camera(60))
        } else {
            Err(SourceError::Unreachable("refused".into()))
        }
    });
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.start().unwrap();
    let is_down = |w: &World| w.state("camera").kind() == StateKind::Retrying;
    world.until("the alert", is_down);
    let seen = |by: &str| {
        let (kind, who) = (AlertKind::Down, by.to_owned());
        world.engine.send(Control::Acknowledge { source: "camera".into(), kind, who })
    };
    done(&seen("anna"));
    done(&seen("bert"));
    let who = |w: &World| -> Vec<_> {
        w.engine.snapshot().acknowledged.iter().map(|it| (it.kind, it.who.clone())).collect()
    };
    let anna = [(AlertKind::Down, "anna".to_owned())];
    assert_eq!(who(&world), anna, "the first who has seen it");
    let tried = world.opener.attempts("camera");
    world.until("another attempt", |w| w.opener.attempts("camera") > tried + 1 && is_down(w));
    assert_eq!(who(&world), anna, "still the same trouble");
    is_there.store(true, Ordering::SeqCst);
    world.until("its end", |w| w.state("camera") == SourceState::Running && who(w).is_empty());
    world.engine.stop(SECONDS(10));
}

#[test]
fn missing_files_fail_with_a_reason_and_leave_their_place_to_the_next() {
    let world = world(2, 2, Strategy::Shared, |id, _| {
        if id.starts_with("missing") { Err(SourceError::NotFound(id.into())) } else { Ok(Walk::file(60, 60)) }
    });
    for n in 0..10 {
        world.engine.add_source(source(&format!("missing_{n}"), SourceKind::Video)).unwrap();
        world.engine.add_source(source(&format!("there_{n}"), SourceKind::Video)).unwrap();
    }
    world.engine.start().unwrap();
    world.until_over();
    for n in 0..10 {
        let missing = world.source(&format!("missing_{n}"));
        assert_eq!(missing.state, SourceState::Failed { next: None });
        assert_eq!(missing.last_error.as_deref(), Some(&*format!("not found: 'missing_{n}'")));
        assert_eq!(world.source(&format!("there_{n}")).total_in, 1);
    }
    world.engine.stop(SECONDS(10));
}

/// Waits until what was asked is done.
fn done(reply: &pcount::engine::Reply) {
    reply.wait(SECONDS(10)).expect("an answer").unwrap();
}

#[test]
fn pause_resume_restart_reset_and_remove_while_running() {
    let world = world(2, 4, Strategy::Shared, |id, _| {
        Ok(if id == "video" { Walk::file(60, 60) } else { Walk::camera(60) })
    });
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.add_source(source("video", SourceKind::Video)).unwrap();
    world.engine.start().unwrap();
    let id = || "camera".into();

    world.until("frames", |w| w.source("camera").frames > 3);
    world.engine.send(Control::pause(id()));
    world.until("the pause", |w| w.state("camera") == SourceState::Paused);
    world.engine.send(Control::resume(id()));
    world.until("running again", |w| w.state("camera") == SourceState::Running);

    let opened = world.opener.attempts("camera");
    world.engine.send(Control::restart(id()));
    world.until("another opening", |w| w.opener.attempts("camera") > opened);

    // Standing still, so that nothing but the reset changes the counts.
    let counts = |w: &World| (w.source("camera").total_in, w.source("camera").total_out);
    world.until("a count each way", |w| counts(w).0 > 0 && counts(w).1 > 0);
    world.engine.send(Control::pause(id()));
    world.until("the pause", |w| w.state("camera") == SourceState::Paused);
    world.engine.send(Control::reset_counts(id()));
    world.until("zero both ways", |w| counts(w) == (0, 0));
    world.engine.send(Control::resume(id()));
    world.until("a count from zero", |w| counts(w).0 + counts(w).1 > 0);

    world.until("the end of the video", |w| w.state("video") == SourceState::Completed);
    world.engine.send(Control::restart("video".into()));
    world.until("the second end of the video", |w| {
        w.opener.attempts("video") == 2 && w.state("video") == SourceState::Completed
    });
    assert_eq!(world.source("video").total_in, 1, "a file read again is counted again from zero");
    assert_eq!(world.source("video").frames, 60);

    done(&world.engine.send(Control::SetWorkers(99)));
    assert_eq!(world.engine.snapshot().worker_count, 4);
    done(&world.engine.send(Control::SetWorkers(0)));
    assert_eq!(world.engine.snapshot().worker_count, 1);

    done(&world.engine.send(Control::Remove(id())));
    assert_eq!(world.engine.snapshot().sources.len(), 1);
    done(&world.engine.send(Control::Add(Box::new(source("camera", SourceKind::Camera)))));
    world.until("the new camera", |w| w.state("camera") == SourceState::Running);
    let twice = world.engine.add_source(source("camera", SourceKind::Camera));
    assert!(matches!(twice, Err(EngineError::DuplicateId(_))));
    assert_eq!(world.engine.stop(SECONDS(10)), 0, "every capture thread is gone");
}

#[test]
fn stop_does_not_wait_for_a_camera_that_hangs_in_open() {
    let (_hold, gate) = crossbeam_channel::bounded::<()>(0);
    let world = world(1, 1, Strategy::Shared, move |_, _| {
        let _ = gate.recv();
        Err(SourceError::Unreachable("too late".into()))
    });
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.start().unwrap();
    world.until("connecting", |w| w.state("camera") == SourceState::Connecting);
    assert_eq!(
        world.engine.stop(Duration::from_millis(300)),
        1,
        "the stuck thread is left behind and counted"
    );
}

#[test]
fn preview_pictures_are_made_only_while_somebody_looks() {
    let world = world(1, 1, Strategy::Shared, |_, _| Ok(Walk::camera(60)));
    world.engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    world.engine.start().unwrap();
    world.until("frames", |w| w.source("camera").frames > 5);
    assert!(world.engine.preview("camera").is_none());
    world.engine.send(Control::preview("camera".into(), true));
    world.until("a picture", |w| w.engine.preview("camera").is_some());
    let preview = world.engine.preview("camera").unwrap();
    assert_eq!(preview.rgb.len(), (preview.size.0 * preview.size.1 * 3) as usize);
    world.engine.send(Control::preview("camera".into(), false));
    world.engine.stop(SECONDS(10));
}

/// Blocks in the first event that it is given.
struct Hung(crossbeam_channel::Receiver<()>);

impl Sink for Hung {
    fn result(&mut self, _: &Arc<TaskResult>) {}
    fn event(&mut self, _: &Arc<Event>) {
        // Until the test drops the other end.
        self.0.recv().ok();
    }
}

#[test]
fn the_heartbeat_of_an_idle_engine_goes_on_and_stops_with_a_sink_that_hangs() {
    let (go, hangs) = crossbeam_channel::bounded(0);
    let opener = Scripted::new(|_, _| Ok(Walk::camera(60)));
    let loaded = Arc::default();
    let mut options = EngineOptions::new(ParallelConfig {
        worker_count: 1,
        max_workers: 1,
        detector: DetectorChoice::Motion,
        ..ParallelConfig::default()
    });
    options.world().opener = Arc::clone(&opener) as Arc<dyn Opener>;
    let model: Arc<dyn Model> = White::new(&loaded);
    options.world().load_model = Box::new(move |_| Ok(Arc::clone(&model)));
    options.sinks = vec![Box::new(Hung(hangs))];
    let engine = Engine::new(options).unwrap();
    let until = |before: Heartbeat| {
        let deadline = Instant::now() + SECONDS(30);
        while !engine.heartbeat().has_gone_on_since(before) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        engine.heartbeat().has_gone_on_since(before)
    };
    for _ in 0..3 {
        assert!(until(engine.heartbeat()), "an idle engine beats");
    }
    engine.add_source(source("camera", SourceKind::Camera)).unwrap();
    engine.start().unwrap();
    // Its first change of state hangs the sink; the coordinator goes on.
    let deadline = Instant::now() + SECONDS(30);
    let hung = loop {
        let before = engine.heartbeat();
        std::thread::sleep(SECONDS(2));
        let now = engine.heartbeat();
        if now.results == before.results {
            break (before, now);
        }
        assert!(Instant::now() < deadline, "the result handler does not hang");
    };
    assert!(hung.1.coordinator > hung.0.coordinator && !hung.1.has_gone_on_since(hung.0));
    drop(go);
    assert!(until(hung.1), "it goes on where the sink does");
    assert_eq!(engine.stop(SECONDS(10)), 0);
}
