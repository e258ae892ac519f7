//! Lets the program be linked against OpenCV's video library without loading it at every start;
//! `src/native/videoio.rs` says why and loads it.
//!
//! The linker notes a library by the name that the library itself states. So it is given a copy that states the
//! name of a small one which is always there: every function is checked to exist, and is looked up only when it is
//! first called. Where that cannot be done, and in programs that use this one as a library, it is linked in the
//! usual way.

use std::{env, fs, path::Path, process::Command};

/// Set by `.cargo/config.toml`, which only builds of this program see.
const LATER: &str = "PCOUNT_VIDEO_LATER";

/// As it states its name, before the version.
const LIBRARY: &[u8] = b"libopencv_videoio.so.";

/// Part of the GNU C library, empty since its version 2.34.
const STAND_IN: &[u8] = b"libutil.so.1";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=OPENCV_LINK_PATHS");
    let is = |variable, value| env::var(variable).is_ok_and(|found| found == value);
    println!("cargo::rerun-if-env-changed={LATER}");
    // The folder of the copy is also searched for programs that use the library, and those are not linked so.
    if !is(LATER, "1") {
        return;
    }
    // Other systems look everything up at the start.
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    match make_copy() {
        Ok(folder) => {
            println!("cargo::rustc-link-search=native={folder}");
            println!("cargo::rustc-link-arg=-Wl,-z,lazy");
            prefer_opencv_folder();
        }
        Err(reason) => {
            println!(
                "cargo::warning=OpenCV's video library is loaded at every start, which takes 0.2 s: {reason}"
            );
        }
    }
}

/// Gives the folder with the copy.
fn make_copy() -> Result<String, String> {
    let folder = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    let path = Path::new(&opencv_folder()?).join("libopencv_videoio.so");
    println!("cargo::rerun-if-changed={}", path.display());
    let mut library = fs::read(&path).map_err(|error| format!("'{}': {error}", path.display()))?;
    let begin = library.windows(LIBRARY.len()).position(|bytes| bytes == LIBRARY);
    let begin = begin.ok_or_else(|| format!("'{}' does not state its name", path.display()))?;
    let name = library[begin..].split_mut(|byte| *byte == 0).next().unwrap_or_default();
    name.fill(0);
    name[..STAND_IN.len()].copy_from_slice(STAND_IN);
    fs::write(Path::new(&folder).join("libopencv_videoio.so"), library).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Has the libraries looked for where OpenCV is before `LD_LIBRARY_PATH` is asked, in which an empty element stands
/// for the working folder: an `RPATH`, not the newer `RUNPATH`, which comes after. Where the folder does not exist,
/// they are found as ever.
fn prefer_opencv_folder() {
    if let Ok(folder) = opencv_folder()
        && Path::new(&folder).is_absolute()
    {
        println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{folder}");
    }
}

fn opencv_folder() -> Result<String, String> {
    if let Ok(folder) = env::var("OPENCV_LINK_PATHS") {
        return Ok(folder);
    }
    let asked = Command::new("pkg-config").args(["--variable=libdir", "opencv4"]).output();
    let asked = asked.map_err(|error| format!("pkg-config: {error}"))?;
    let folder = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if folder.is_empty() { Err("pkg-config does not know 'opencv4'".into()) } else { Ok(folder) }
}
