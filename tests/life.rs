//! The life of a source in the running program: cameras that boot, break off and come back, a program that stands
//! still, a system that refuses.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "support/clips.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod clips;
#[path = "support/http_server.rs"]
mod http_server;
#[path = "support/program.rs"]
mod program;

use std::{sync::Arc, time::Duration};

use http_server::{Answer, serve};
use program::Program;
use rustix::process::{Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};

fn has_frames(line: &Value, id: &str, more_than: u64) -> bool {
    line["type"] == "result"
        && line["camera_id"] == id
        && line["frame_info"]["frame_count"].as_u64().unwrap() > more_than
}

fn camera(port: u16, retry: &Value) -> Value {
    json!({"camera_id": "door", "source": format!("http://127.0.0.1:{port}/video.mjpg"), "detector": "motion",
           "retry": retry, "open_timeout": "5s", "stall_timeout": "1s"})
}

/// The most memory that the program has held, in MiB.
fn peak(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid().as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

/// MJPEG without an end.
fn endless() -> Answer {
    Answer::Resized(Arc::default(), usize::MAX, [(96, 64), (96, 64)])
}

#[test]
fn whatever_a_booting_camera_says_it_is_tried_until_it_sends_video_at_any_time_of_its_life() {
    let boots = [
        Answer::Page,
        Answer::Status("503 Service Unavailable"),
        Answer::Status("404 Not Found"),
        Answer::Status("403 Forbidden"),
        Answer::Status("400 Bad Request"),
        Answer::Mjpeg(0, (96, 64)),
        Answer::Noise,
    ];
    // Each is asked more than once at an attempt.
    let boots = || boots.iter().flat_map(|answer| [answer.clone(), answer.clone()]);
    let answers = boots().chain([Answer::Mjpeg(40, (96, 64))]).chain(boots()).chain([endless()]).collect();
    let port = serve(Answer::InTurn(Arc::default(), answers));
    let folder = tempfile::tempdir().unwrap();
    // Marked as failed after the first attempt, and never given up.
    let retry = json!({"max_attempts": 1, "initial": "100ms", "max": "100ms"});
    let mut program = Program::start(folder.path(), &json!({"cameras": [camera(port, &retry)]}), "");
    program.until("frames", |line| has_frames(line, "door", 60));
    let states: Vec<_> = program.seen.iter().filter_map(|line| line["state"].as_str()).collect();
    assert!(states.contains(&"Failed") && !states.contains(&"Unsupported"), "{states:?}");
}

#[test]
fn only_give_up_ends_a_camera() {
    let port = serve(Answer::Page);
    let folder = tempfile::tempdir().unwrap();
    let retry = json!({"max_attempts": 2, "initial": "100ms", "max": "100ms", "give_up": true});
    let mut program = Program::start(folder.path(), &json!({"cameras": [camera(port, &retry)]}), "");
    let summary = program.until("the end", |line| line["type"] == "summary");
    assert_eq!(summary["sources"][0]["status"], "Failed");
    assert_eq!(program.child.wait().unwrap().code(), Some(69), "no source could be used");
}

#[test]
fn a_flapping_camera_is_said_to_be_flapping_and_no_attempt_has_failed() {
    let port = serve(Answer::Mjpeg(40, (96, 64)));
    let folder = tempfile::tempdir().unwrap();
    let retry = json!({"max_attempts": 1, "initial": "100ms", "max": "100ms", "give_up": true});
    let mut program = Program::start(folder.path(), &json!({"cameras": [camera(port, &retry)]}), "");
    program.until("the word", |line| {
        line["error"].as_str().is_some_and(|error| error.starts_with("flapping: 6 "))
    });
    let states: Vec<_> = program.seen.iter().filter_map(|line| line["state"].as_str()).collect();
    assert!(!states.contains(&"Failed"), "{states:?}");
}

#[test]
fn a_program_that_stood_still_blames_nobody_and_loses_nothing_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    clips::write_walk(&folder.path().join("walk.avi"), "MJPG", 25.0, (320, 240), 4000);
    let config = json!({
        "cameras": [camera(serve(endless()), &json!({"max_attempts": 1, "give_up": true}))],
        "videos": [{"video_id": "walk", "path": "walk.avi", "detector": "motion", "skip_frames": 0,
                    "stall_timeout": "1s", "open_timeout": "1s"}],
    });
    let mut program = Program::start(folder.path(), &config, "");
    program.until("frames of the camera", |line| has_frames(line, "door", 0));
    for _ in 0..2 {
        kill_process(program.pid(), Signal::STOP).unwrap();
        // What is tried is that this time passes.
        std::thread::sleep(Duration::from_millis(3500));
        kill_process(program.pid(), Signal::CONT).unwrap();
        let before = program.seen.iter().rev().find(|line| has_frames(line, "door", 0)).unwrap();
        let before = before["frame_info"]["frame_count"].as_u64().unwrap();
        program.until("more frames of the camera", |line| has_frames(line, "door", before + 20));
    }
    let is_over = |line: &Value| line["camera_id"] == "walk" && line["state"] == "Completed";
    if !program.seen.iter().any(is_over) {
        program.until("the end of the file", is_over);
    }
    kill_process(program.pid(), Signal::TERM).unwrap();
    let summary = program.until("the summary", |line| line["type"] == "summary");
    let walk = summary["sources"].as_array().unwrap().iter().find(|s| s["camera_id"] == "walk").unwrap();
    assert_eq!((&walk["frames"], &walk["status"]), (&json!(4000), &json!("Completed")));
    for id in ["door", "walk"] {
        assert!(program.complaints(id).is_empty(), "{:#?}", program.complaints(id));
    }
    let log = std::fs::read_to_string(folder.path().join("out/logs/parallel_counter.log")).unwrap();
    assert_eq!(log.matches("The program did not run for 3 s").count(), 2, "{log}");
}

#[test]
fn a_system_that_refuses_open_files_is_named_and_the_sources_begin_when_it_gives_some() {
    let folder = tempfile::tempdir().unwrap();
    clips::write_walk(&folder.path().join("walk.avi"), "MJPG", 25.0, (320, 240), 50);
    let retry = json!({"initial": "100ms", "max": "200ms"});
    let config = json!({
        "cameras": [camera(serve(endless()), &retry)],
        "videos": [{"video_id": "walk", "path": "walk.avi", "detector": "motion", "retry": retry}],
    });
    let mut program = Program::start(folder.path(), &config, "ulimit -S -n 24");
    for id in ["door", "walk"] {
        let refused =
            program.until("the refusal", |line| line["camera_id"] == id && line["error"].is_string());
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains("refuses more open files") && error.contains("ulimit -n"), "{error}");
        assert_eq!(refused["state"], "Retrying", "{error}");
    }
    let more = Rlimit { current: Some(200), maximum: Some(200) };
    prlimit(Some(program.pid()), Resource::Nofile, more).unwrap();
    let is_over = |line: &Value| line["camera_id"] == "walk" && line["state"] == "Completed";
    program.until("the end of the file", is_over);
    program.until("frames of the camera", |line| has_frames(line, "door", 0));
    let damaged = |line: &Value| line["error"].as_str().is_some_and(|error| error.contains("damaged"));
    assert!(!program.seen.iter().any(damaged));
}

#[test]
fn pictures_and_parts_without_measure_are_refused_and_memory_stays() {
    for (what, answer) in [("a huge picture", Answer::Huge), ("an endless part", Answer::EndlessPart)] {
        let folder = tempfile::tempdir().unwrap();
        let retry = json!({"initial": "100ms", "max": "200ms"});
        let mut other = camera(serve(endless()), &retry);
        other["camera_id"] = json!("other");
        let bomb = camera(serve(answer), &retry);
        let mut program = Program::start(folder.path(), &json!({"cameras": [bomb, other]}), "");
        for _ in 0..3 {
            program.until(what, |line| line["camera_id"] == "door" && line["error"].is_string());
        }
        program.until("frames of the other", |line| has_frames(line, "other", 20));
        let peak = peak(&program);
        println!("{what}: at most {peak} MiB; {}", program.complaints("door")[0]);
        assert!(peak < 400, "{what}: {peak} MiB");
        assert!(program.complaints("other").is_empty(), "{:?}", program.complaints("other"));
    }
}
