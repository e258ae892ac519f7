//! The whole program, to be killed at random moments.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How often it is killed: `PCOUNT_KILLS`, or else `usual`.
pub fn count(usual: usize) -> usize {
    std::env::var("PCOUNT_KILLS").map_or(usual, |text| text.parse().unwrap())
}

/// Random times below a number of milliseconds, the same in every run.
pub fn moments(seed: u64) -> impl FnMut(u64) -> Duration {
    let mut random = seed;
    move |limit| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis((random >> 33) % limit)
    }
}

/// The program on the `cams.json` of `dir`; what it prints is to be read.
pub fn start(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
        .args(["--config", "cams.json", "--json", "--detector", "motion"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
