//! All constants of a pipeline, and how they are set by name.

use crate::{
    cadence::CadenceParams,
    calibration::CalibrationParams,
    config,
    constants::{Constant, Constants},
    count::CountParams,
    track::TrackParams,
};

/// The constants of tracking, counting and the cadence.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Params {
    /// Of the trackers.
    pub track: TrackParams,
    /// Of the counting rule.
    pub count: CountParams,
    /// When, where and at which size to detect.
    pub cadence: CadenceParams,
    /// What scores are worth.
    pub calibration: CalibrationParams,
}

impl Params {
    /// All constants with the room that each belongs to.
    #[must_use]
    pub fn list() -> Vec<(&'static str, Constant)> {
        let rooms = [
            ("track", TrackParams::list()),
            ("count", CountParams::list()),
            ("cadence", CadenceParams::list()),
            ("calibration", CalibrationParams::list()),
        ];
        rooms.into_iter().flat_map(|(room, list)| list.into_iter().map(move |entry| (room, entry))).collect()
    }

    /// Sets one constant to the number in `text`.
    ///
    /// # Errors
    /// What to write instead: there is no constant of this name, or the number does not suit it.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let rooms: [&mut dyn Constants; 4] =
            [&mut self.track, &mut self.count, &mut self.cadence, &mut self.calibration];
        match rooms.into_iter().find_map(|room| room.set(name, text)) {
            Some(outcome) => outcome.map_err(|problem| format!("{name}: {problem}")),
            None => Err(unknown(name)),
        }
    }
}

/// A value that a constant is given instead of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    name: String,
    value: String,
}

impl Setting {
    /// Reads `NAME=VALUE`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| match Params::default().set(text, "") {
            Err(problem) if problem.starts_with(text) => format!("write {text}=VALUE; {problem}"),
            _ => format!("write NAME=VALUE, such as band=0.2; {LISTED}"),
        })?;
        let setting = Self { name: name.trim().to_owned(), value: value.to_owned() };
        setting.apply(&mut Params::default())?;
        Ok(setting)
    }

    /// Sets it in `params`.
    ///
    /// # Errors
    /// None that [`Self::parse`] did not find.
    pub fn apply(&self, params: &mut Params) -> Result<(), String> {
        params.set(&self.name, &self.value)
    }
}

const LISTED: &str = "'pcount-tui eval --constants' lists all";

fn unknown(name: &str) -> String {
    let list = Params::list();
    let known: Vec<&str> = list.iter().map(|(_, constant)| constant.name).collect();
    // 'heartbeat' is as near to 'rate_heartbeat' as to 'steady_heartbeat'.
    let last = |known: &'static str| known.split_once('_').map_or(known, |(_, last)| last);
    let lasts: Vec<&str> = list.iter().map(|(_, constant)| last(constant.name)).collect();
    let (slip, slip_of_last) = (config::nearest(name, &known), config::nearest(name, &lasts));
    let is_near = |known: &&str| {
        Some(*known) == slip
            || slip_of_last.is_some_and(|slip| known.ends_with(&format!("_{slip}")))
            || name.len() > 2 && known.contains(name)
    };
    let near: Vec<&str> = known.iter().copied().filter(is_near).take(6).collect();
    let hint = match near.as_slice() {
        [] => String::new(),
        near => format!("; did you mean {}?", config::listed(near)),
    };
    format!("there is no constant '{}'{hint} {LISTED}", config::printable(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_constant_has_a_name_of_its_own_and_can_be_set() {
        let names: BTreeSet<_> = Params::list().into_iter().map(|(_, constant)| constant.name).collect();
        assert_eq!(names.len(), Params::list().len());
        for (_, Constant { name, unit, default, range, meaning }) in Params::list() {
            let mut params = Params::default();
            params.set(name, &default).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(params, Params::default(), "{name} at its default {default}");
            let (least, most) = range.split_once("..").unwrap();
            let other = if default == least { most } else { least };
            params.set(name, other).unwrap_or_else(|problem| panic!("{problem}"));
            assert_ne!(params, Params::default(), "{name} at {other}");
            let stands_alone = meaning.starts_with(char::is_uppercase) && meaning.ends_with('.');
            assert!(!unit.is_empty() && stands_alone, "{name}: {meaning}");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_says_what_to_write_instead() {
        for (text, wanted) in [
            ("bnd=0.2", &["no constant 'bnd'", "did you mean 'band'", "eval --constants"][..]),
            ("heartbeat=2", &["'steady_heartbeat' or 'rate_heartbeat'"]),
            ("hearbeat=2", &["'steady_heartbeat' or 'rate_heartbeat'"]),
            ("exit=2", &["'exit_travel', 'exit_overlap' or 'zone_exit'"]),
            ("xyzzy=1", &["no constant 'xyzzy'", "eval --constants"]),
            ("band=wide", &["band: give a number from 0 to 10 (body heights)"]),
            ("band=-1", &["band: give a number from 0 to 10 (body heights)"]),
            ("band=NaN", &["band: give a number"]),
            ("gate_cells=1.5", &["gate_cells: give a whole number from 1 to 10000 (cells)"]),
            ("band", &["write band=VALUE", "from 0 to 10"]),
            ("0.2", &["write NAME=VALUE, such as band=0.2"]),
        ] {
            let problem = Setting::parse(text).unwrap_err();
            for wanted in wanted {
                assert!(problem.contains(wanted), "{text}: {problem}");
            }
        }
        let mut params = Params::default();
        Setting::parse("band=0.2").unwrap().apply(&mut params).unwrap();
        assert_eq!(params.count.band, 0.2);
    }
}
