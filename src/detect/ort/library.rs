//! Where the ONNX Runtime library is searched, in this order; the first that can be used is:
//!
//! 1. the file that `ORT_DYLIB_PATH` names, with its whole path;
//! 2. beside the executable: in `lib`, there itself, in `../lib/pcount-tui`;
//! 3. `.cache/onnxruntime` of the project whose `target` folder the executable lies in;
//! 4. `/usr/local/lib/pcount-tui`, `/usr/lib/pcount-tui`;
//! 5. `$XDG_DATA_HOME/pcount-tui/lib`, or `~/.local/share/pcount-tui/lib`;
//! 6. the folders that `LD_LIBRARY_PATH` names, then the system's.
//!
//! In a folder `libonnxruntime.so` is taken, or else the highest `libonnxruntime.so.1.*`. Version 1.17 or
//! later is needed. A library is loaded only if it belongs to root or the user and nobody else may write to it or to
//! a folder on the way ([`crate::trust`]); and what was checked is what is loaded, by its open file. The
//! system's loader is never asked to search: it would obey whatever the environment says, the working folder
//! included.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use ort::environment::EnvironmentBuilder;

use crate::trust::{self, Owner, installed::Installed};

/// What decides where to look, apart so that tests need not change the process.
#[derive(Default)]
pub(super) struct SearchPaths {
    pub(super) named: Option<PathBuf>,
    pub(super) installed: Installed,
    /// Folders of the system and of `LD_LIBRARY_PATH`.
    pub(super) system: Vec<PathBuf>,
}

/// Where distributions keep libraries.
const SYSTEM: [&str; 3] = ["/usr/local/lib", "/usr/lib", "/usr/lib64"];

impl SearchPaths {
    fn of_this_process() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let named: Vec<PathBuf> =
            set("LD_LIBRARY_PATH").map_or_else(Vec::new, |list| env::split_paths(&list).collect());
        let system = SYSTEM.into_iter().flat_map(|folder| {
            let folder = Path::new(folder);
            [folder.join(format!("{}-linux-gnu", env::consts::ARCH)), folder.to_owned()]
        });
        Self {
            named: set("ORT_DYLIB_PATH").map(PathBuf::from),
            installed: Installed::of_this_process(),
            system: named.into_iter().filter(|folder| folder.is_absolute()).chain(system).collect(),
        }
    }

    /// Library files in the order to try: the one that was named, and those that exist.
    pub(super) fn candidates(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> = self.named.iter().cloned().collect();
        let folders = self.installed.libraries().into_iter().chain(self.system.iter().cloned());
        found.extend(folders.filter_map(|folder| library_in(&folder)));
        found
    }
}

/// `libonnxruntime.so`, or what the platform calls it.
fn file_name() -> String {
    format!("{}onnxruntime{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
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

/// A library that was loaded.
pub(super) struct Loaded {
    pub(super) builder: EnvironmentBuilder,
    pub(super) path: PathBuf,
    /// Its version, when it says.
    pub(super) version: Option<String>,
    /// Why others were passed over, a sentence each.
    pub(super) refused: Vec<String>,
}

/// Loads the first library that can be used.
///
/// # Errors
/// One sentence: where it was searched, or what is wrong with what was found.
pub(super) fn load() -> Result<Loaded, String> {
    first_usable(SearchPaths::of_this_process().candidates())
}

/// What [`load`] would take, without loading it: the file, and why others are passed over.
pub(in crate::detect) fn survey() -> (Option<PathBuf>, Vec<String>) {
    let mut refused = Vec::new();
    for path in SearchPaths::of_this_process().candidates() {
        match open(&path) {
            Ok(_) => return (Some(path), refused),
            Err(problem) => refused.push(problem),
        }
    }
    (None, refused)
}

fn open(path: &Path) -> Result<File, String> {
    trust::open(path, Owner::Ours).map_err(|problem| format!("'{}' {problem}", trust::shown(path)))
}

fn first_usable(candidates: Vec<PathBuf>) -> Result<Loaded, String> {
    let mut refused = Vec::new();
    for path in candidates {
        let attempt = open(&path).and_then(|file| {
            let builder = ort::init_from(trust::name_of(&file)).map_err(|error| unusable(&path, &error))?;
            Ok((builder, version(&file)))
        });
        match attempt {
            Ok((builder, version)) => return Ok(Loaded { builder, path, version, refused }),
            Err(problem) => refused.push(problem),
        }
    }
    Err(if refused.is_empty() {
        "its library was not found; set ORT_DYLIB_PATH to the whole path of libonnxruntime.so, or put it into \
         '~/.local/share/pcount-tui/lib'"
            .to_owned()
    } else {
        refused.join("; ")
    })
}

fn unusable(path: &Path, error: &ort::LoadDynamicError) -> String {
    use ort::LoadDynamicError as E;
    let file = trust::shown(path);
    match error {
        E::BadVersion { version_str, .. } => {
            format!("'{file}' is version {version_str}, but 1.{} or later is needed", ort::MINOR_VERSION)
        }
        E::MissingApi { .. } | E::InvalidVersionString => format!("'{file}' is another library"),
        E::Dlopen { .. } => format!("'{file}' is no library for this machine"),
    }
}

/// The version that a library file carries in its symbol versions (`VERS_1.32.0`), read from its first
/// megabyte; `None` where a distributor left them out.
fn version(mut library: &File) -> Option<String> {
    let mut head = Vec::new();
    Read::by_ref(&mut library).take(1 << 20).read_to_end(&mut head).ok()?;
    let mark = b"VERS_1.";
    let at = head.windows(mark.len()).position(|window| window == mark)? + "VERS_".len();
    let version = head[at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.');
    String::from_utf8(version.copied().collect()).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn places_are_searched_in_the_documented_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let put = |path: &str| {
            let file = at(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
            file
        };
        let name = file_name();
        let project = put(&format!("project/.cache/onnxruntime/{name}"));
        put("project/Cargo.toml");
        put("project/build.rs");
        put(&format!("project/target/release/lib/{name}.1.9.0"));
        let beside = put(&format!("project/target/release/lib/{name}.1.32.0"));
        let user = put(&format!("data/pcount-tui/lib/{name}"));
        put(&format!("data/pcount-tui/lib/{name}.1.99.0"));
        let system = put(&format!("system/{name}.1.21.0"));
        let places = SearchPaths {
            named: Some(at("anywhere.so")),
            installed: Installed {
                executable: Some(at("project/target/release/pcount-tui")),
                data: Some(at("data")),
            },
            system: vec![at("nothing"), at("system")],
        };
        assert_eq!(places.candidates(), [at("anywhere.so"), beside, project, user, system]);
    }

    #[test]
    fn nothing_is_found_where_nothing_is_installed() {
        assert_eq!(SearchPaths::default().candidates().len(), 0);
    }

    /// In a process of its own, because a library once loaded stays.
    #[test]
    #[ignore = "run by the test below"]
    fn child() {
        let folder = PathBuf::from(env::var_os("PCOUNT_TEST_FOLDER").unwrap());
        let another = fs::read_to_string("/proc/self/maps")
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
        assert_eq!(problem(another.clone()), "'FILE' is another library");
        // The loader would search for these two on its own.
        for relative in ["libc.so.6", "lib/libonnxruntime.so"] {
            assert!(problem(PathBuf::from(relative)).contains("is not used: files in the working folder"));
        }
        let shared = folder.join("shared");
        fs::create_dir(&shared).unwrap();
        fs::copy(another, shared.join("lib.so")).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(problem(shared.join("lib.so")).contains("is not used: others may write to '"));
        let nothing = first_usable(Vec::new()).err().unwrap();
        assert!(nothing.starts_with("its library was not found; set ORT_DYLIB_PATH"), "{nothing}");
        let both = first_usable(vec![folder.join("none.so"), folder.join("text.so")]).err().unwrap();
        assert_eq!(both.matches("; ").count(), 1);
    }

    #[test]
    fn libraries_that_cannot_be_used_are_named_and_never_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("text.so"), "no library").unwrap();
        let name = "detect::ort::library::tests::child";
        let output = std::process::Command::new(env::current_exe().unwrap())
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
        let path = root.path().join("lib.so");
        let version_of = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            version(&File::open(&path).unwrap())
        };
        assert_eq!(version_of(b"\x7fELF\0\0VERS_1.32.0\0GLIBC_2.2.5\0").as_deref(), Some("1.32.0"));
        assert_eq!(version_of(b"\x7fELF"), None);
    }
}
