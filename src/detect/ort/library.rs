//! Where the ONNX Runtime library is looked for, in this order; the first that loads is used:
//!
//! 1. the file that `ORT_DYLIB_PATH` names;
//! 2. the folders `lib` and `.` beside the executable;
//! 3. `.cache/onnxruntime` in the working folder, then in the project the executable was built in
//!    (`target/release/../../.cache/onnxruntime`);
//! 4. `~/.local/share/pcount-tui/lib`;
//! 5. wherever the system's loader finds `libonnxruntime.so` or `libonnxruntime.so.1`.
//!
//! In a folder `libonnxruntime.so` is taken, or else the highest `libonnxruntime.so.1.*`. Version 1.17 or
//! later is needed.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use ort::environment::EnvironmentBuilder;

/// What decides where to look, apart so that tests need not change the process.
#[derive(Default)]
pub(super) struct Places {
    pub(super) named: Option<PathBuf>,
    pub(super) executable: Option<PathBuf>,
    pub(super) working: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
}

impl Places {
    fn of_this_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        Self {
            named: set("ORT_DYLIB_PATH"),
            executable: std::env::current_exe().ok(),
            working: std::env::current_dir().ok(),
            home: set("HOME"),
        }
    }

    /// Library files that exist, and names for the system's loader, in the order to try.
    pub(super) fn candidates(&self) -> Vec<PathBuf> {
        let beside = self.executable.as_deref().and_then(Path::parent);
        let folders = [
            beside.map(|folder| folder.join("lib")),
            beside.map(Path::to_owned),
            self.working.as_ref().map(|folder| folder.join(".cache/onnxruntime")),
            beside.map(|folder| folder.join("../../.cache/onnxruntime")),
            self.home.as_ref().map(|folder| folder.join(".local/share/pcount-tui/lib")),
        ];
        let mut found: Vec<_> = self.named.iter().cloned().collect();
        found.extend(folders.iter().flatten().filter_map(|folder| library_in(folder)));
        found.extend([file_name(), format!("{}.1", file_name())].map(PathBuf::from));
        found
    }
}

/// `libonnxruntime.so`, or what the platform calls it.
fn file_name() -> String {
    format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let plain = folder.join(file_name());
    if plain.is_file() {
        return Some(plain);
    }
    let prefix = format!("{}.1", file_name());
    let numbers = |path: &PathBuf| -> Vec<u32> {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.split('.').filter_map(|part| part.parse().ok()).collect()
    };
    let files = std::fs::read_dir(folder).ok()?;
    files
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(&prefix)))
        .max_by_key(numbers)
}

/// Loads the first library that can be used.
///
/// # Errors
/// One sentence: where it was looked for, or what is wrong with what was found.
pub(super) fn load() -> Result<(EnvironmentBuilder, PathBuf), String> {
    first_usable(Places::of_this_process().candidates())
}

fn first_usable(candidates: Vec<PathBuf>) -> Result<(EnvironmentBuilder, PathBuf), String> {
    let mut problems = Vec::new();
    for path in candidates {
        let by_name = path.components().count() == 1;
        match ort::init_from(&path) {
            Ok(builder) => {
                for problem in problems {
                    tracing::warn!("{problem}");
                }
                return Ok((builder, path));
            }
            // The loader not knowing the plain name is the usual case, not news.
            Err(_) if by_name => {}
            Err(error) => problems.push(unusable(&path, &error)),
        }
    }
    Err(if problems.is_empty() {
        "its library was not found; set ORT_DYLIB_PATH to libonnxruntime.so, or put it into \
         '~/.local/share/pcount-tui/lib'"
            .to_owned()
    } else {
        problems.join("; ")
    })
}

fn unusable(path: &Path, error: &ort::LoadDynamicError) -> String {
    use ort::LoadDynamicError as E;
    let file = path.display();
    match error {
        E::BadVersion { version_str, .. } => {
            format!("'{file}' is version {version_str}, but 1.{} or later is needed", ort::MINOR_VERSION)
        }
        E::MissingApi { .. } | E::InvalidVersionString => format!("'{file}' is another library"),
        E::Dlopen { .. } if !path.exists() => format!("'{file}' does not exist"),
        E::Dlopen { .. } => format!("'{file}' is no library for this machine"),
    }
}

/// The version that a library file carries in its symbol versions (`VERS_1.32.0`), read from its first
/// megabyte; `None` where a distributor left them out or the loader found the file by its name.
pub(super) fn version(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(1 << 20).read_to_end(&mut head).ok()?;
    let mark = b"VERS_1.";
    let at = head.windows(mark.len()).position(|window| window == mark)? + "VERS_".len();
    let version = head[at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.');
    String::from_utf8(version.copied().collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_searched_in_the_documented_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let put = |path: &str| {
            let file = at(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "").unwrap();
            file
        };
        let name = file_name();
        let project = put(&format!("project/.cache/onnxruntime/{name}"));
        put(&format!("project/target/release/lib/{name}.1.9.0"));
        let beside = put(&format!("project/target/release/lib/{name}.1.32.0"));
        let home = put(&format!("home/.local/share/pcount-tui/lib/{name}"));
        put(&format!("home/.local/share/pcount-tui/lib/{name}.1.99.0"));
        let places = Places {
            named: Some(at("anywhere.so")),
            executable: Some(at("project/target/release/pcount-tui")),
            working: Some(at("elsewhere")),
            home: Some(at("home")),
        };
        let found = places.candidates();
        assert_eq!(found.len(), 6, "{found:?}");
        assert_eq!(found[0], at("anywhere.so"));
        assert_eq!(found[1], beside);
        assert_eq!(found[2].canonicalize().unwrap(), project.canonicalize().unwrap());
        assert_eq!(found[3], home);
        assert_eq!(found[4], Path::new(&name));
        assert_eq!(found[5], PathBuf::from(format!("{name}.1")));
    }

    #[test]
    fn nothing_is_found_nowhere_but_by_the_loader() {
        assert_eq!(Places::default().candidates().len(), 2);
    }

    /// In a process of its own, because a library once loaded stays.
    #[test]
    #[ignore = "run by the test below"]
    fn child() {
        let folder = PathBuf::from(std::env::var_os("PCOUNT_TEST_FOLDER").unwrap());
        let another = std::fs::read_to_string("/proc/self/maps")
            .unwrap()
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5))
            .find(|path| path.contains("/libc.so"))
            .map(PathBuf::from)
            .unwrap();
        let problem = |path: PathBuf| {
            first_usable(vec![path.clone()]).err().unwrap().replace(path.to_str().unwrap(), "FILE")
        };
        assert_eq!(problem(folder.join("none.so")), "'FILE' does not exist");
        assert_eq!(problem(folder.join("text.so")), "'FILE' is no library for this machine");
        assert_eq!(problem(another), "'FILE' is another library");
        assert_eq!(
            first_usable(vec![PathBuf::from("libnothing-of-that-name.so")]).err().unwrap(),
            "its library was not found; set ORT_DYLIB_PATH to libonnxruntime.so, or put it into \
             '~/.local/share/pcount-tui/lib'"
        );
        assert_eq!(
            first_usable(vec![folder.join("none.so"), folder.join("text.so")])
                .err()
                .unwrap()
                .matches("; ")
                .count(),
            1
        );
    }

    #[test]
    fn libraries_that_cannot_be_used_are_named_and_never_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("text.so"), "no library").unwrap();
        let name = "detect::ort::library::tests::child";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", name])
            .env("PCOUNT_TEST_FOLDER", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn the_version_is_read_from_the_file() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("lib.so");
        std::fs::write(&file, b"\x7fELF\0\0VERS_1.32.0\0GLIBC_2.2.5\0").unwrap();
        assert_eq!(version(&file).as_deref(), Some("1.32.0"));
        std::fs::write(&file, b"\x7fELF").unwrap();
        assert_eq!(version(&file), None);
        assert_eq!(version(&root.path().join("none")), None);
    }
}
