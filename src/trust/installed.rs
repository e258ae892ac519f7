//! Where the program's own files are: beside the executable, in root's folders, in the user's.
//!
//! Never in the working folder: a user who may write to it would decide what runs. Each place is only a place to
//! look; what is found there is opened by [`trust::open`](crate::trust::open).

use std::path::{Path, PathBuf};

/// Name of the program's folder in those of the system and of the user.
const NAME: &str = "pcount-tui";

/// How far above the executable the project stands: `target/TRIPLE/release/deps/pcount`.
const DEEPEST_BUILD: usize = 5;

/// What decides where to look, apart so that tests need not change the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The executable, without links.
    pub executable: Option<PathBuf>,
    /// The user's folder for data of programs: `$XDG_DATA_HOME`, or `~/.local/share`.
    pub data: Option<PathBuf>,
}

impl Installed {
    /// As this process was started. Variables that name no absolute path are passed over.
    #[must_use]
    pub fn of_this_process() -> Self {
        let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self {
            executable: std::env::current_exe().ok().filter(|path| path.is_absolute()),
            data: folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share"))),
        }
    }

    /// Folders for libraries, the first to be searched first.
    #[must_use]
    pub fn libraries(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        if let Some(beside) = self.beside() {
            folders.extend([beside.join("lib"), beside.to_owned()]);
            folders.extend(beside.parent().map(|above| above.join("lib").join(NAME)));
        }
        folders.extend(self.project().map(|project| project.join(".cache/onnxruntime")));
        folders.extend(["/usr/local/lib", "/usr/lib"].map(|lib| Path::new(lib).join(NAME)));
        folders.extend(self.user().map(|folder| folder.join("lib")));
        unique(folders)
    }

    /// Folders for models, the first to be searched first.
    #[must_use]
    pub fn models(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        if let Some(beside) = self.beside() {
            folders.push(beside.join("models"));
            folders.extend(beside.parent().map(|above| above.join("share").join(NAME).join("models")));
        }
        folders.extend(self.project().map(|project| project.join("models")));
        folders.extend(
            ["/usr/local/share", "/usr/share"].map(|share| Path::new(share).join(NAME).join("models")),
        );
        folders.extend(self.user().map(|folder| folder.join("models")));
        unique(folders)
    }

    /// The folder into which the user's own models go.
    #[must_use]
    pub fn own_models(&self) -> PathBuf {
        self.user().unwrap_or_else(|| Path::new("/usr/local/share").join(NAME)).join("models")
    }

    fn beside(&self) -> Option<&Path> {
        self.executable.as_deref().and_then(Path::parent)
    }

    fn user(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.join(NAME))
    }

    /// The project that the executable was built in, if it still lies in its `target` folder.
    fn project(&self) -> Option<&Path> {
        let above = self.executable.as_deref()?.ancestors().take(DEEPEST_BUILD + 1).skip(3);
        above
            .into_iter()
            .find(|folder| folder.join("Cargo.toml").is_file() && folder.join("build.rs").is_file())
    }
}

fn unique(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    for folder in folders {
        if !seen.contains(&folder) {
            seen.push(folder);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_program_looks_beside_itself_then_at_roots_then_at_the_users() {
        let installed = Installed {
            executable: Some("/opt/pcount/bin/pcount-tui".into()),
            data: Some("/home/u/.local/share".into()),
        };
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            installed.libraries(),
            paths(&[
                "/opt/pcount/bin/lib",
                "/opt/pcount/bin",
                "/opt/pcount/lib/pcount-tui",
                "/usr/local/lib/pcount-tui",
                "/usr/lib/pcount-tui",
                "/home/u/.local/share/pcount-tui/lib",
            ])
        );
        assert_eq!(
            installed.models(),
            paths(&[
                "/opt/pcount/bin/models",
                "/opt/pcount/share/pcount-tui/models",
                "/usr/local/share/pcount-tui/models",
                "/usr/share/pcount-tui/models",
                "/home/u/.local/share/pcount-tui/models",
            ])
        );
        assert_eq!(installed.own_models(), Path::new("/home/u/.local/share/pcount-tui/models"));
    }

    #[test]
    fn a_program_that_was_just_built_looks_into_its_project() {
        let root = tempfile::tempdir().unwrap();
        for file in ["Cargo.toml", "build.rs"] {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        for built in
            ["target/release/p", "target/debug/deps/p", "target/x86_64-unknown-linux-gnu/release/deps/p"]
        {
            let installed = Installed { executable: Some(root.path().join(built)), data: None };
            assert!(installed.libraries().contains(&root.path().join(".cache/onnxruntime")), "{built}");
            assert!(installed.models().contains(&root.path().join("models")), "{built}");
        }
    }

    #[test]
    fn no_place_depends_on_where_the_program_stands() {
        for installed in [Installed::default(), Installed::of_this_process()] {
            for folder in installed.libraries().iter().chain(&installed.models()) {
                assert!(folder.is_absolute(), "{}", folder.display());
            }
        }
    }
}
