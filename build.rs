//! Leaves the functions of OpenCV's video library open, to be looked up when they are first called; `src/native/videoio.rs`
//! says why. That nothing else is left open is tested in `tests/start.rs`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg=-Wl,--unresolved-symbols=ignore-in-object-files");
        println!("cargo::rustc-link-arg=-Wl,-z,lazy");
    }
}
