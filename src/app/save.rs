//! Keeps what was changed on the dashboard in the configuration file, and says in one sentence where.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;

use crate::{
    config::{
        Secret, SourceConfig,
        edit::{ConfigFile, KeepLogin, NewEntry, Saved},
    },
    host::{ConfigPlace, Settings},
    model::{Drawn, SourceId},
};

/// Name of the file that is written when there is none.
const NEW_FILE: &str = "cameras.json";

/// What is said when there is no file.
const NO_FILE: &str = "there is no configuration file";

/// The configuration file, if there is one, and what could not be written to it yet.
pub(super) struct ConfigSaver {
    file: Mutex<Option<Arc<ConfigFile>>>,
    /// The text of a configuration that came through a pipe and cannot be written back.
    piped: Option<Secret>,
    waiting: Mutex<Vec<NewEntry>>,
    /// Sources that the file had when it was read last.
    known: Mutex<Vec<SourceConfig>>,
}

impl ConfigSaver {
    pub(super) fn new(path: Option<PathBuf>, piped: Option<Secret>) -> Self {
        let file = path.map(|path| Arc::new(ConfigFile::new(path)));
        Self { file: Mutex::new(file), piped, waiting: Mutex::default(), known: Mutex::default() }
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

    /// Reads which sources the file has by now; a file that cannot be read is reported when it is written.
    pub(super) fn look(&self) {
        if let Some(Ok(sources)) = self.file().map(|file| file.sources()) {
            *self.known.lock() = sources;
        }
    }

    /// The sources that the file had when it was read last.
    pub(super) fn known(&self) -> Vec<SourceConfig> {
        self.known.lock().clone()
    }

    /// Ids that a new source must not have.
    pub(super) fn ids(&self) -> Vec<String> {
        let waiting = self.waiting.try_lock();
        let waiting = waiting.iter().flat_map(|waiting| waiting.iter()).map(|entry| entry.id().to_owned());
        self.known.lock().iter().map(|source| source.id.to_string()).chain(waiting).collect()
    }

    pub(super) fn save_lines(&self, id: &str, drawn: &Drawn) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        let mut waiting = self.waiting.lock();
        let saved = match waiting.iter().position(|entry| entry.id() == id) {
            // Its source is not in the file yet and takes them along.
            Some(at) => {
                waiting[at].set_drawn(drawn.clone());
                let saved = file.add_source(&waiting[at]);
                saved.inspect(|_| drop(waiting.remove(at)))
            }
            None => file.save_lines(id, drawn),
        };
        saved.map(|saved| sentence(&file, &saved)).map_err(|error| error.to_string())
    }

    /// Writes what differs between `before` and `after` of the settings of source `id`.
    pub(super) fn save_settings(
        &self,
        id: &str,
        before: &Settings,
        after: &Settings,
    ) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        if self.waiting.lock().iter().any(|entry| entry.id() == id) {
            return Err(format!("'{id}' is not in '{}' yet; save it first with 'w'", file.path().display()));
        }
        let saved = file.save_settings(id, before, after);
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
            format!("added for this run but not saved ('w' tries again): {error}")
        })
    }

    /// Removes sources from the file, each on its own: one that cannot be removed holds up no other.
    pub(super) fn remove(&self, ids: &[SourceId]) -> Result<String, String> {
        let file = self.file().ok_or(NO_FILE)?;
        let mut waiting = self.waiting.lock();
        let (mut gone, mut logins, mut original, mut problems) = (0, Vec::new(), None, Vec::new());
        for id in ids {
            waiting.retain(|entry| *entry.id() != **id);
            match file.remove_source(id) {
                Ok(Some(removed)) => {
                    gone += 1;
                    logins.extend(removed.login.map(|login| format!("'{}'", login.display())));
                    original = Some(removed.original);
                }
                Ok(None) => {}
                Err(error) => problems.push(error.to_string()),
            }
        }
        let name = file.path().display();
        if !problems.is_empty() {
            let others = if gone > 0 { format!("{gone} removed from the file; ") } else { String::new() };
            return Err(format!("removed for this run, but {others}{}", problems.join("; ")));
        }
        let Some(original) = original else { return Ok(format!("removed; it is not in '{name}'")) };
        let login = match &logins[..] {
            [] => String::new(),
            logins => format!(", which no longer uses the login file {}", logins.join(", ")),
        };
        Ok(format!(
            "removed for this run and from '{name}'{login}; previous version: '{}'",
            original.display()
        ))
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
        Ok(format!(
            "written to '{name}', which takes every change from now on; next time: pcount-tui \
             --config {name}"
        ))
    }

    /// Writes what waits, each on its own: one that cannot be written holds up no other.
    fn write_waiting(&self, file: &ConfigFile) -> Result<String, String> {
        let mut waiting = self.waiting.lock();
        let mut said = Err(format!("nothing to save: '{}' has every change already", file.path().display()));
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
    format!("saved to '{name}'{login}; previous version: '{}'", saved.original.display())
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
    use crate::model::LineConfig;

    #[test]
    fn a_source_that_could_not_be_saved_is_saved_with_its_lines_when_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        fs::write(&path, "{}\n").unwrap();
        let saver = ConfigSaver::new(Some(path.clone()), None);
        assert!(saver.write(&[]).unwrap_err().contains("has every change already"));
        // A file stands where the folder of logins would be.
        fs::write(folder.path().join("cams.logins"), "").unwrap();
        let source = SourceConfig::from_source_string("rtsp://u:hunter2@h/1", &BTreeSet::new()).unwrap();
        let refused = saver.save_source(&source, "rtsp://u:hunter2@h/1", KeepLogin::Beside).unwrap_err();
        assert!(refused.contains("'w' tries again") && !refused.contains("hunter2"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
        let line = LineConfig { a: [0.0, 0.25], ..LineConfig::default() };
        let drawn = Drawn { lines: vec![line.clone()], ..Drawn::default() };
        assert!(saver.save_lines(&source.id, &drawn).is_err());
        let (before, after) =
            (Settings::of(&source), Settings { threshold: Some(3), ..Settings::of(&source) });
        let refused = saver.save_settings(&source.id, &before, &after).unwrap_err();
        assert!(refused.contains("save it first with 'w'"), "{refused}");
        assert_eq!(saver.ids(), ["h"], "nobody else gets its id meanwhile");
        fs::remove_file(folder.path().join("cams.logins")).unwrap();
        let said = saver.write(&[]).unwrap();
        assert!(said.contains("its login to") && said.contains("cams.json.bak"), "{said}");
        let config = crate::config::Config::load(&path, &crate::config::Overrides::default()).unwrap();
        assert_eq!(config.sources[0].source.opening_url(), source.source.opening_url());
        assert_eq!(config.sources[0].lines, [line]);
        assert!(saver.write(&[]).is_err(), "once is enough");
        saver.look();
        assert_eq!(saver.ids(), ["h"]);
    }

    #[test]
    fn what_is_removed_on_the_screen_and_from_the_file_is_gone_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        let before =
            "{\n  \"cameras\": [\n    {\"camera_id\": \"gate\", \"source\": \"demo:street\"}\n  ]\n}\n";
        fs::write(&path, before).unwrap();
        let saver = ConfigSaver::new(Some(path.clone()), None);
        let text = "rtsp://u:hunter2@h/1";
        let source = SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap();
        saver.save_source(&source, text, KeepLogin::Beside).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("rtsp://h/1"));
        let said = saver.remove(std::slice::from_ref(&source.id)).unwrap();
        assert!(said.contains("cams.logins") && said.contains("cams.json.bak"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        let said = saver.remove(std::slice::from_ref(&source.id)).unwrap();
        assert!(said.contains("it is not in"), "{said}");
        // One that could not be saved is not saved later.
        fs::write(&path, "[").unwrap();
        saver.save_source(&source, text, KeepLogin::Beside).unwrap_err();
        assert!(
            saver
                .remove(std::slice::from_ref(&source.id))
                .unwrap_err()
                .starts_with("removed for this run, but")
        );
        fs::write(&path, before).unwrap();
        assert!(saver.write(&[]).unwrap_err().contains("has every change already"));
        saver.remove(&["gate".into()]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"cameras\": []\n}\n");
    }

    #[test]
    fn a_video_of_a_folder_stays_in_the_file_and_that_is_said_with_its_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cams.json");
        let videos = folder.path().join("v");
        fs::create_dir(&videos).unwrap();
        fs::write(videos.join("a.mp4"), "").unwrap();
        fs::write(videos.join("b.mp4"), "").unwrap();
        let text = r#"{"cameras": [{"camera_id": "gate", "source": "0"}], "videos": [{"video_id": "all", "path": "v/*.mp4"}]}"#;
        fs::write(&path, text).unwrap();
        let saver = ConfigSaver::new(Some(path.clone()), None);
        let said = saver.remove(&["all_a".into(), "gate".into()]).unwrap_err();
        assert!(
            said.contains("1 removed from the file") && said.contains("folder or pattern in its entry 'all'"),
            "{said}"
        );
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text.replace(r#"{"camera_id": "gate", "source": "0"}"#, "")
        );
        // The entry itself is no source.
        let said = saver.remove(&["all".into()]).unwrap_err();
        assert!(said.contains("would get other ids"), "{said}");
    }
}
