//! Changing settings of a source.

use std::cell::RefCell;

use super::{
    ConfigFile, EditError, Saved,
    logins::Written,
    members::{has_member, in_place_of, with_member, with_zone_limit},
    text::{escaped, string},
};
use crate::config::{Config, Credentials, Settings, SourceConfig, SourceSpec};

impl ConfigFile {
    /// Writes what differs between `before` and `after` into the entry of source `id`; another login goes into a file of
    /// its own.
    ///
    /// # Errors
    /// When a file cannot be read, understood or written, or would not be read as these settings, or the login stands in
    /// the address; the configuration is then unchanged.
    pub fn save_settings(&self, id: &str, before: &Settings, after: &Settings) -> Result<Saved, EditError> {
        if after.changed(before).is_empty() {
            return Err(self.refused("nothing of it would change"));
        }
        let line = after.credentials().map(|login| self.line_of(&login)).transpose()?;
        let mut login: Option<Written> = None;
        let wanted: RefCell<Vec<SourceConfig>> = RefCell::default();
        let changed = self.change(
            |old| {
                if let (None, Some(line)) = (&login, &line) {
                    self.check_login(old, id)?;
                    login = Some(self.write_login(id, line, old)?);
                }
                self.with_settings(old, id, before, after, login.as_ref())
            },
            |old| {
                let all = old.sources.iter().map(|source| {
                    if &*source.id == id { after.applied(before, source) } else { source.clone() }
                });
                wanted.replace(all.collect());
                // A folder has an entry, and its videos are the sources.
                if old.sources.iter().any(|source| &*source.id == id) {
                    Ok(())
                } else {
                    Err(self.no_entry(id))
                }
            },
            |new: &Config| {
                if new.sources == *wanted.borrow() {
                    return Ok(());
                }
                Err(self.refused("these settings would not be read back as they were given"))
            },
        );
        match changed {
            Ok(original) => Ok(Saved { original, login: login.map(|login| login.path), is_exposed: false }),
            Err(problem) => {
                // A login that nothing names would only lie about.
                login.iter().for_each(Written::remove);
                Err(problem)
            }
        }
    }

    /// `text` with what differs.
    pub(super) fn with_settings(
        &self,
        text: &str,
        id: &str,
        before: &Settings,
        after: &Settings,
        login: Option<&Written>,
    ) -> Result<String, EditError> {
        let words = |words: &str| string(&escaped(words));
        let mut done = text.to_owned();
        for key in after.changed(before) {
            let value = match key {
                "alias" => Some(&*after.alias).filter(|alias| !alias.is_empty()).map(words),
                "location" => after.location.as_deref().map(words),
                "threshold" => after.threshold.map(|limit| limit.to_string()),
                "enabled" => (!after.enabled).then(|| "false".to_owned()),
                "detect_fps" => after.detect_fps.map(|rate| rate.to_string()),
                "credentials" => {
                    login.map(|login| format!("{{ \"file\": {} }}", words(&login.name.to_string_lossy())))
                }
                _ => {
                    for (zone, limit) in after.changed_zones(before) {
                        let with = self.edited(with_zone_limit(&done, id, zone, limit))?;
                        done = with.ok_or_else(|| self.no_zone(text, id, zone))?;
                    }
                    continue;
                }
            };
            // Both say how often is detected, and no source may have both.
            let instead = match (key, &value) {
                ("detect_fps", Some(rate)) => {
                    self.edited(in_place_of(&done, id, "skip_frames", (key, rate)))?
                }
                _ => None,
            };
            done = match instead {
                Some(done) => done,
                None => self
                    .edited(with_member(&done, id, key, value.as_deref()))?
                    .ok_or_else(|| self.no_entry(id))?,
            };
        }
        Ok(done)
    }

    fn no_zone(&self, text: &str, id: &str, zone: &str) -> EditError {
        match self.edited(
            has_member(text, id, "source").and_then(|camera| Ok(camera || has_member(text, id, "path")?)),
        ) {
            Ok(true) => {
                self.refused(&format!("it has no zone '{zone}' of '{id}'; save its lines and zones first"))
            }
            Ok(false) => self.no_entry(id),
            Err(problem) => problem,
        }
    }

    /// What goes into the file of a login.
    fn line_of(&self, login: &Credentials) -> Result<String, EditError> {
        let line = login.as_line().filter(|_| !login.user.is_empty() || !login.password.reveal().is_empty());
        line.ok_or_else(|| self.refused("the login is none; write user:password on one line"))
    }

    /// Whether the source `id` of `text` can have a login beside its address.
    fn check_login(&self, text: &str, id: &str) -> Result<(), EditError> {
        let config = self.read_old(text)?;
        let source = config.sources.iter().find(|source| &*source.id == id);
        let source = source.ok_or_else(|| self.no_entry(id))?;
        let SourceSpec::Url { credentials, .. } = &source.source else {
            return Err(
                self.refused(&format!("'{id}' needs no login; only rtsp:// and http:// sources have one"))
            );
        };
        if credentials.is_none() || self.edited(has_member(text, id, "credentials"))? {
            return Ok(());
        }
        Err(self
            .refused(&format!("the login of '{id}' stands in its address; edit the file to change it there")))
    }
}
