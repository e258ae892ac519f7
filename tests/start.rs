//! The program starts without what it needs only later, and misses nothing once that is there.

use assert_cmd::Command;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pcount-tui"))
}

#[test]
fn video_libraries_are_not_loaded_before_they_are_needed() {
    // Asked so, the system's loader lists what it would load and runs nothing.
    let listed = program().env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("libopencv_core"), "{listed}");
    for heavy in ["videoio", "avcodec", "gdal"] {
        assert!(
            !listed.contains(heavy),
            "'{heavy}' is loaded at once; was this built in the project's folder? {listed}"
        );
    }
}

#[test]
fn nothing_but_the_video_library_is_missing_at_the_start() {
    // Told to look everything up at once, the loader refuses a program of which anything is missing.
    let library = pcount::native::videoio::file_name();
    let output =
        program().arg("--version").env("LD_BIND_NOW", "1").env("LD_PRELOAD", library).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
