//! Keeps what was changed on the dashboard in the configuration file, and says in one sentence where.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;

use crate::{
    config::{
        LineConfig, Secret, SourceConfig, ZoneConfig,
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
    /// The text of a configuration that came through a pipe and cannot be written back.
    piped: Option<Secret>,
    waiting: Mutex<Vec<NewEntry>>,
    /// Ids that the file had when it was looked at last.
    ids: Mutex<Vec<String>>,
}

impl Keeper {
    pub(super) fn new(path: Option<PathBuf>, piped: Option<Secret>) -> Self {
        let file = path.map(|path| Arc::new(ConfigFile::new(path)));
        Self { file: Mutex::new(file), piped, waiting: Mutex::default(), ids: Mutex::default() }
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

    /// Looks which ids the file has by now; what cannot be read is said when it is written.
    pub(super) fn look(&self) {
        if let Some(Ok(ids)) = self.file().map(|file| file.ids()) {
            *self.ids.lock() = ids;
        }
    }

    /// Ids that a new source must not have.
    pub(super) fn ids(&self) -> Vec<String> {
        let waiting = self.waiting.try_lock();
        let waiting = waiting.iter().flat_map(|waiting| waiting.iter()).map(|entry| entry.id().to_owned());
        self.ids.lock().iter().cloned().chain(waiting).collect()
    }

    pub(super) fn save_lines(
        &self,
        id: &str,
        lines: &[LineConfig],
        zones: &[ZoneConfig],
    ) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        let mut waiting = self.waiting.lock();
        let saved = match waiting.iter().position(|entry| entry.id() == id) {
            // Its source is not in the file yet and takes them along.
            Some(at) => {
                waiting[at].set_shapes(lines, zones);
                let saved = file.add_source(&waiting[at]);
                saved.inspect(|_| drop(waiting.remove(at)))
            }
            None => file.save_lines(id, lines, zones),
        };
        saved.map(|saved| sentence(&file, &saved)).map_err(|error| error.to_string())
    }

    pub(super) fn save_source(
        &self,
        source: &SourceConfig,
        written: &str,
        keep: KeepLogin,
    ) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        let entry = NewEntry::new(source, Some(written), file.path(), keep);
        let mut waiting = self.waiting.lock();
        file.add_source(&entry).map(|saved| sentence(&file, &saved)).map_err(|error| {
            waiting.push(entry);
            format!("added for this run, not saved, 'w' tries again: {error}")
        })
    }

    /// Writes a new file of `sources`, or what waits for the one there is.
    pub(super) fn write(&self, sources: &[Arc<SourceConfig>]) -> Result<String, String> {
        if let Some(file) = self.file() {
            return self.write_waiting(&file);
        }
        let sources: Vec<&SourceConfig> = sources.iter().map(|source| &**source).collect();
        let text = self.piped.as_ref().map(Secret::reveal);
        let file = ConfigFile::create(free_name(), text, &sources).map_err(|error| error.to_string())?;
        let name = file.path().display().to_string();
        *self.file.lock() = Some(Arc::new(file));
        Ok(format!("written to '{name}', as every change from now on; next time: pcount-tui --config {name}"))
    }

    /// Writes what waits, each on its own: one that cannot be written holds up no other.
    fn write_waiting(&self, file: &ConfigFile) -> Result<String, String> {
        let mut waiting = self.waiting.lock();
        let mut said = Err(format!("nothing to write: '{}' has every change already", file.path().display()));
        let mut problem = None;
        waiting.retain(|entry| match file.add_source(entry) {
            Ok(saved) => {
                said = Ok(sentence(file, &saved));
                false
            }
            Err(error) => {
                problem = Some(error.to_string());
                true
            }
        });
        problem.map_or(said, Err)
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
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| NEW_FILE.into())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn a_source_that_could_not_be_saved_is_saved_with_its_lines_when_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        fs::write(&path, "{}\n").unwrap();
        let keeper = Keeper::new(Some(path.clone()), None);
        assert!(keeper.write(&[]).unwrap_err().contains("has every change already"));
        // A file stands where the folder of logins would be.
        fs::write(folder.path().join("cams.logins"), "").unwrap();
        let source = SourceConfig::from_source_string("rtsp://u:hunter2@h/1", &BTreeSet::new()).unwrap();
        let refused = keeper.save_source(&source, "rtsp://u:hunter2@h/1", KeepLogin::Beside).unwrap_err();
        assert!(refused.contains("'w' tries again") && !refused.contains("hunter2"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
        let line = LineConfig { a: [0.0, 0.25], ..LineConfig::default() };
        assert!(keeper.save_lines(&source.id, std::slice::from_ref(&line), &[]).is_err());
        assert_eq!(keeper.ids(), ["h"], "nobody else gets its id meanwhile");
        fs::remove_file(folder.path().join("cams.logins")).unwrap();
        let said = keeper.write(&[]).unwrap();
        assert!(said.contains("its login to") && said.contains("cams.json.bak"), "{said}");
        let config = crate::config::Config::load(&path, &Default::default()).unwrap();
        assert_eq!(config.sources[0].source.opening_url(), source.source.opening_url());
        assert_eq!(config.sources[0].lines, [line]);
        assert!(keeper.write(&[]).is_err(), "once is enough");
        keeper.look();
        assert_eq!(keeper.ids(), ["h"]);
    }
}
