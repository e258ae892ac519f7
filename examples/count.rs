//! Counts the people who cross the middle of a video; prints who crosses, then the totals.

use std::{error::Error, time::Duration};

use pcount::{
    config::{DetectorChoice, ParallelConfig},
    engine::{Engine, EngineOptions},
    model::{Event, EventKind},
};

/// Counts in `video` until it is over. Gives how many went in and how many out.
///
/// # Errors
/// When `video` cannot be read, or a thread does not start or end.
pub fn count(video: &str) -> Result<(u64, u64), Box<dyn Error>> {
    // This detector needs no model. The default looks for the best model that is installed.
    let settings = ParallelConfig { detector: DetectorChoice::Motion, ..ParallelConfig::default() };
    let engine = Engine::new(EngineOptions::new(settings))?;
    let events = engine.subscribe();
    engine.add_video(video, "street")?;
    engine.start()?;
    while !engine.is_over() {
        events.next_within(Duration::from_millis(200)).iter().for_each(|event| print(event));
    }
    let stuck = engine.stop(Duration::from_secs(5));
    events.waiting().for_each(|event| print(&event));
    if stuck > 0 {
        return Err(format!("{stuck} threads did not end").into());
    }
    let result = engine.result("street").ok_or("the video was not opened")?;
    match result.errors.first() {
        Some(error) => Err(error.clone().into()),
        None => Ok((result.total_in, result.total_out)),
    }
}

fn print(event: &Event) {
    match &event.kind {
        EventKind::Crossing { line, direction, .. } => println!("{line}: one {}", direction.word()),
        EventKind::State { state, error: Some(error) } => eprintln!("{}: {error}", state.word()),
        _ => {}
    }
}

/// The video is the first argument; without one it is a scene that the library draws.
pub fn main() -> Result<(), Box<dyn Error>> {
    let video = std::env::args().nth(1).unwrap_or_else(|| "demo:street?seconds=30".into());
    let (total_in, total_out) = count(&video)?;
    println!("{total_in} in, {total_out} out");
    Ok(())
}
