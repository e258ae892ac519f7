//! What the overview costs on the line to the terminal.

use std::{sync::Arc, time::Duration};

use pcount::{
    internals::tui::paint,
    model::{Direction, Event, EventKind, SourceState},
};
use ratatui::buffer::Buffer;

use super::{fake, stage::Stage};

/// A fifth of a person a second goes through each door, every rate trembles, every worker changes its source.
fn bytes_a_second(sources: usize, (width, height): (u16, u16)) -> usize {
    const SECONDS: usize = 60;
    let doors = (0..sources)
        .map(|n| fake::source(&format!("camera_{n:02}"), &format!("Door {n}"), SourceState::Running));
    let mut stage = Stage::new(doors.collect());
    let mut before: Buffer = stage.buffer(width, height);
    let mut bytes = Vec::new();
    let mut dice = 1_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for tick in 0..SECONDS * 4 {
        stage.engine.change(|snapshot| {
            let wall = fake::ago(0) + Duration::from_millis(250 * tick as u64);
            let mut events = (*snapshot.events).clone();
            for source in &mut snapshot.sources {
                let source = Arc::make_mut(source);
                source.fps = 25.0 + roll(20) as f32 / 10.0;
                source.frames += 6;
                source.latency = Duration::from_millis(40 + roll(40));
                source.last_frame = Some(fake::TAKEN + Duration::from_millis(250 * tick as u64));
                source.visible = roll(9) as usize;
                if roll(20) == 0 {
                    source.total_in += 1;
                    let kind = EventKind::Crossing {
                        line: "door".into(),
                        direction: Direction::In,
                        track: source.total_in,
                        time: 1.0,
                        confidence: 0.9,
                    };
                    events.push(Arc::new(Event::new(wall, source.id.clone(), kind)));
                }
            }
            snapshot.events = Arc::new(events);
            for worker in &mut snapshot.workers {
                worker.frames += 25;
                worker.busy = roll(100) as f32 / 100.0;
                let place = roll(snapshot.sources.len() as u64 + 1) as usize;
                worker.source = snapshot.sources.get(place).map(|source| source.id.clone());
            }
            snapshot.queue_pending = roll(5) as usize;
            snapshot.cpu = 1.5 + roll(9) as f32 / 10.0;
            snapshot.rss += roll(2_000_000);
        });
        stage.pass(Duration::from_millis(250));
        if stage.session.ui.context.take_changed() {
            let after = stage.buffer(width, height);
            paint::cells(&mut bytes, before.diff(&after).into_iter()).unwrap();
            before = after;
        }
    }
    bytes.len() / SECONDS
}

#[test]
fn a_slow_line_is_enough() {
    for (sources, size) in [(16, (120, 40)), (64, (120, 40)), (16, (80, 24))] {
        let rate = bytes_a_second(sources, size);
        println!("{sources} sources at {size:?}: {rate} bytes a second");
        assert!(rate < 1500, "{sources} sources at {size:?}: {rate} bytes a second");
    }
}
