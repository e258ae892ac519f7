//! Keeps what was changed on the dashboard in the configuration file, and says in one sentence where.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;

use crate::{
    config::{
        LineConfig, SourceConfig, ZoneConfig,
        edit::{ConfigFile, KeepLogin, NewEntry, Saved},
    },
    tui::host::ConfigPlace,
};

/// Name of the file that is written when there is none.
const NEW_FILE: &str = "cameras.json";

/// What is said when there is no file.
const NO_FILE: &str = "there is no configuration file";

/// The configuration file, if there is one, and what could not be written to it yet.
pub(super) struct Keeper {
    file: Mutex<Option<Arc<ConfigFile>>>,
    waiting: Mutex<Vec<NewEntry>>,
}

impl Keeper {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { file: Mutex::new(path.map(|path| Arc::new(ConfigFile::new(path)))), waiting: Mutex::default() }
    }

    fn file(&self) -> Option<Arc<ConfigFile>> {
        self.file.lock().clone()
    }

    pub(super) fn place(&self) -> ConfigPlace {
        match self.file() {
            Some(file) => ConfigPlace::File(file.path().display().to_string()),
            None => ConfigPlace::CouldBe(free_name().display().to_string()),
        }
    }

    pub(super) fn save_lines(
        &self,
        id: &str,
        lines: &[LineConfig],
        zones: &[ZoneConfig],
    ) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        match file.save_lines(id, lines, zones) {
            Ok(saved) => Ok(sentence(&file, &saved)),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn save_source(
        &self,
        source: &SourceConfig,
        written: &str,
        keep: KeepLogin,
    ) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        let entry = NewEntry::new(source, Some(written), file.path(), keep);
        file.add_source(&entry).map(|saved| sentence(&file, &saved)).map_err(|error| {
            self.waiting.lock().push(entry);
            format!("added for this run, not saved, 'w' tries again: {error}")
        })
    }

    /// Writes a new file of `sources`, or what waits for the one there is.
    pub(super) fn write(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        if let Some(file) = self.file() {
            return self.write_waiting(&file);
        }
        let path = free_name();
        let entries: Vec<NewEntry> =
            sources.iter().map(|source| NewEntry::new(source, None, &path, KeepLogin::Beside)).collect();
        let file = ConfigFile::create(path, &entries).map_err(|error| error.to_string())?;
        let name = file.path().display().to_string();
        *self.file.lock() = Some(Arc::new(file));
        Ok(format!("written to '{name}', as every change from now on; next time: pcount-tui --config {name}"))
    }

    fn write_waiting(&self, file: &ConfigFile) -> Result<String, String> {
        let mut waiting = self.waiting.lock();
        let nothing = format!("nothing to write: '{}' has every change already", file.path().display());
        let mut said = Err(nothing);
        while let Some(entry) = waiting.last() {
            let saved = file.add_source(entry).map_err(|error| error.to_string())?;
            waiting.pop();
            said = Ok(sentence(file, &saved));
        }
        said
    }
}

/// Where a change went.
fn sentence(file: &ConfigFile, saved: &Saved) -> String {
    let name = file.path().display();
    let login = match (&saved.login, saved.is_exposed) {
        (Some(login), _) => format!(", its login to '{}'", login.display()),
        (None, true) => format!(", with its password: run chmod 600 {name}"),
        (None, false) => String::new(),
    };
    format!("saved to '{name}'{login}; as it was before: '{}'", saved.original.display())
}

/// A name in the current folder that is not taken.
fn free_name() -> PathBuf {
    let numbered = (2..).map(|number| format!("cameras_{number}.json"));
    std::iter::once(NEW_FILE.to_string())
        .chain(numbered)
        .map(PathBuf::from)
        .find(|path| !path.exists())
        .unwrap_or_else(|| NEW_FILE.into())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn a_source_that_could_not_be_saved_is_saved_when_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        fs::write(&path, "{}\n").unwrap();
        let keeper = Keeper::new(Some(path.clone()));
        assert!(keeper.write(&[]).unwrap_err().contains("has every change already"));
        // A folder stands where the new file would be written.
        fs::create_dir(folder.path().join("cams.json.new")).unwrap();
        let source = SourceConfig::from_source_string("rtsp://u:hunter2@h/1", &BTreeSet::new()).unwrap();
        let refused = keeper.save_source(&source, "rtsp://u:hunter2@h/1", KeepLogin::Beside).unwrap_err();
        assert!(refused.contains("'w' tries again") && !refused.contains("hunter2"), "{refused}");
        assert!(!folder.path().join("cams.logins/h").exists(), "no login lies about");
        fs::remove_dir(folder.path().join("cams.json.new")).unwrap();
        let said = keeper.write(&[]).unwrap();
        assert!(said.contains("its login to") && said.contains("cams.json.bak"), "{said}");
        assert!(fs::read_to_string(&path).unwrap().contains("rtsp://h/1"));
        assert_eq!(fs::read_to_string(folder.path().join("cams.logins/h")).unwrap(), "u:hunter2\n");
        assert!(keeper.write(&[]).is_err(), "once is enough");
    }
}
