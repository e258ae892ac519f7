//! Variables of the environment by which libraries look for code, and what of them is left.
//!
//! An empty or relative folder in such a list means the working folder: `LD_LIBRARY_PATH=/opt/lib:` is a common
//! slip, and it lets everybody who may write to the folder run code as the user. So [`repair`] leaves out what is
//! not absolute and what others may write to. `LD_PRELOAD` and `LD_AUDIT` stay: they name files, not places to
//! look, and were obeyed before the program's first instruction.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::{Owner, Problem, shown};

/// Lists of folders or files, parted by colons, from which code is loaded: by the system's loader, OpenCV,
/// GStreamer, GLib, VA-API, VDPAU, OpenCL and FFmpeg's filters, all of which come with OpenCV's video library.
const VARIABLES: [&str; 21] = [
    "LD_LIBRARY_PATH",
    "OPENCV_VIDEOIO_PLUGIN_PATH",
    "OPENCV_CORE_PLUGIN_PATH",
    "OPENCV_OPENCL_RUNTIME",
    "OCL_ICD_VENDORS",
    "GST_PLUGIN_PATH",
    "GST_PLUGIN_PATH_1_0",
    "GST_PLUGIN_SYSTEM_PATH",
    "GST_PLUGIN_SYSTEM_PATH_1_0",
    "GST_PLUGIN_SCANNER",
    "GST_PLUGIN_SCANNER_1_0",
    "GIO_MODULE_DIR",
    "GIO_EXTRA_MODULES",
    "GDK_PIXBUF_MODULEDIR",
    "GDK_PIXBUF_MODULE_FILE",
    "LIBVA_DRIVERS_PATH",
    "VDPAU_DRIVER_PATH",
    "FREI0R_PATH",
    "LADSPA_PATH",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
];

/// Values of [`VARIABLES`] that are words and no paths.
const WORDS: [&str; 2] = ["disabled", "null"];

/// A variable that has to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Its name.
    pub name: &'static str,
    /// What is left of it; `None` where nothing is.
    pub value: Option<OsString>,
    /// What was left out and why, in one sentence.
    pub says: String,
}

/// What has to change in the environment, whose variables `get` gives, before libraries may read it.
pub fn repair(get: impl Fn(&str) -> Option<OsString>) -> Vec<Repair> {
    VARIABLES.into_iter().filter_map(|name| repair_one(name, &get(name)?)).collect()
}

fn repair_one(name: &'static str, value: &OsStr) -> Option<Repair> {
    // An unset variable and an empty one mean the same to all of them.
    if value.is_empty() || WORDS.iter().any(|word| value == *word) {
        return None;
    }
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for part in value.as_bytes().split(|byte| *byte == b':') {
        match problem(Path::new(OsStr::from_bytes(part))) {
            None => kept.push(part),
            Some(problem) if refused.contains(&problem) => {}
            Some(problem) => refused.push(problem),
        }
    }
    if refused.is_empty() {
        return None;
    }
    let value = (!kept.is_empty()).then(|| OsStr::from_bytes(&kept.join(&b':')).to_owned());
    Some(Repair { name, value, says: format!("the environment variable {name}: {}", refused.join("; ")) })
}

/// Why a folder or file is left out. One that does not exist does no harm: that others cannot make it, the folders
/// above it say.
fn problem(path: &Path) -> Option<String> {
    if path.as_os_str().is_empty() {
        return Some("an empty folder in it, which is the working folder, is left out".into());
    }
    if !path.is_absolute() {
        return Some(format!("'{}', which is relative to the working folder, is left out", shown(path)));
    }
    match super::walk(path, Owner::Ours) {
        Ok(_) | Err(Problem::Missing) => None,
        Err(problem) => Some(format!("'{}' {problem}", shown(path))),
    }
}

/// The program `name` in the folders of `path`, a list as in `PATH`, that can be trusted.
#[must_use]
pub fn program(name: &str, path: &OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|file| super::open(file, Owner::Ours).is_ok())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn repaired(value: &str) -> Vec<(Option<String>, String)> {
        let get = |name: &str| (name == "LD_LIBRARY_PATH").then(|| value.into());
        let text = |value: OsString| value.into_string().unwrap();
        repair(get).into_iter().map(|repair| (repair.value.map(text), repair.says)).collect()
    }

    #[test]
    fn folders_of_ours_stay_as_they_are() {
        for value in ["", "/usr/lib", "/usr/lib:/usr/local/lib", "/usr/lib/that-does-not-exist"] {
            assert_eq!(repaired(value), [], "{value}");
        }
        let get = |name: &str| (name == "OPENCV_OPENCL_RUNTIME").then(|| "disabled".into());
        assert_eq!(repair(get), []);
    }

    #[test]
    fn the_working_folder_is_left_out_however_it_is_written() {
        for (value, left) in [
            (":", None),
            (".", None),
            ("lib", None),
            ("/usr/lib:", Some("/usr/lib")),
            (":/usr/lib", Some("/usr/lib")),
            ("/usr/lib::/usr/local/lib", Some("/usr/lib:/usr/local/lib")),
            ("../lib:/usr/lib:./lib", Some("/usr/lib")),
        ] {
            let [(found, says)] = &repaired(value)[..] else { panic!("'{value}' stays") };
            assert_eq!(found.as_deref(), left, "{value}");
            assert!(says.contains("LD_LIBRARY_PATH") && says.contains("working folder"), "{says}");
            // Nothing is left to repair, or the program would start itself over and over.
            assert_eq!(repaired(found.as_deref().unwrap_or_default()), []);
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        for below in ["", "/lib"] {
            let [(value, says)] = &repaired(&format!("{}{below}", folder.path().display()))[..] else {
                panic!()
            };
            assert!(value.is_none() && says.contains("(mode 0777); run chmod go-w"), "{says}");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(repaired(folder.path().to_str().unwrap())[0].0, None, "everybody may put a library there");
    }

    #[test]
    fn programs_are_found_where_others_cannot_put_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tool"), "").unwrap();
        let path = format!("::.:bin:{}", folder.path().display());
        assert_eq!(program("tool", OsStr::new(&path)), Some(folder.path().join("tool")));
        assert_eq!(program("none", OsStr::new(&path)), None);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::set_permissions(folder.path().join("tool"), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(program("tool", OsStr::new(&path)), None);
    }
}
