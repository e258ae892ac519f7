//! Has the libraries looked for where OpenCV and FFmpeg are before `LD_LIBRARY_PATH` is asked, in which an empty element
//! stands for the working folder: an `RPATH`, not the newer `RUNPATH`, which comes after. Where that folder does not
//! exist, they are found as ever.

use std::{path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_SYSROOT_DIR");
    if !std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        return;
    }
    let asked = Command::new("pkg-config").args(["--variable=libdir", "opencv4"]).output();
    let folder =
        asked.map(|asked| String::from_utf8_lossy(&asked.stdout).trim().to_owned()).unwrap_or_default();
    // Where the libraries of another machine lie while it is built for that, the program does not find them later.
    let elsewhere = std::env::var("PKG_CONFIG_SYSROOT_DIR").unwrap_or_default();
    let folder = folder.strip_prefix(&elsewhere).unwrap_or(&folder);
    if Path::new(folder).is_absolute() {
        println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{folder}");
    }
}
