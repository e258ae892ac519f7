//! The file that keeps what a person saw: the taps, the lines, and which part of which source was watched.
//!
//! ```text
//! # pcount-tui audit: what a person saw
//! # video: "door.mp4"
//! # line: {"name":"door","a":[0.0,0.5],"b":[1.0,0.5],"anchor":"center"}
//! # read: [0.0,42.733333]
//! # watched: 42.733
//! # tolerance: 2.0
//! time,line,direction
//! 2.533,door,in
//! ```
//!
//! What follows the name of a key is JSON. A relative path is relative to the file.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_json::json;

use super::tap::Tap;
use crate::{
    config::SourceSpec,
    files::{self, text_cell},
    model::{Direction, LineConfig},
};

/// First line of every such file.
const TITLE: &str = "# pcount-tui audit: what a person saw";

/// Names of the columns.
const COLUMNS: [&str; 3] = ["time", "line", "direction"];

/// Longest file that is read, in bytes: a hundred thousand crossings have less.
const LONGEST: u64 = 16 << 20;

/// What was watched.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchedSource {
    /// A video file.
    Video(PathBuf),
    /// A scene that the program draws, as in `lobby?seed=1`.
    Demo(String),
    /// A camera, without credentials: it cannot be watched again.
    Camera(String),
}

/// What a person saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// What was watched.
    pub place: WatchedSource,
    /// The lines that were watched.
    pub lines: Vec<LineConfig>,
    /// Seconds of the first and the last frame that was read. `None` where it was all that there is.
    pub read: Option<(f64, f64)>,
    /// Seconds up to which the person has watched.
    pub watched: f64,
    /// Tolerance in seconds that the audit had.
    pub tolerance: f64,
    /// What was seen, by time.
    pub taps: Vec<Tap>,
}

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// It cannot be read or written.
    #[error("'{path}': {problem}")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        problem: io::Error,
    },
    /// It is no such file, or was changed into something that cannot be.
    #[error("'{path}', line {line}: {problem}")]
    Content {
        /// Which.
        path: String,
        /// From 1.
        line: u64,
        /// What is wrong, and what to write.
        problem: String,
    },
}

impl WatchedSource {
    /// The place of a source, as it may be written down.
    #[must_use]
    pub fn of(source: &SourceSpec) -> Self {
        match source {
            SourceSpec::File(path) => Self::Video(path.clone()),
            SourceSpec::Demo(scene) => Self::Demo(scene.clone()),
            other => Self::Camera(other.to_string()),
        }
    }
}

impl Truth {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`TruthError`].
    pub fn read(path: &Path) -> Result<Self, TruthError> {
        let shown = || path.display().to_string();
        let bytes = files::read_start(path, LONGEST)
            .map_err(|problem| TruthError::File { path: shown(), problem })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        parse(&String::from_utf8_lossy(&bytes), folder).map_err(|(line, problem)| TruthError::Content {
            path: shown(),
            line,
            problem,
        })
    }

    /// Writes the file at `path`, in place of one that is there.
    ///
    /// # Errors
    /// When the system refuses; a file that was there is then unchanged.
    pub fn write(&self, path: &Path) -> Result<(), TruthError> {
        files::replace(path, self.text(path).as_bytes(), files::SHARED)
            .map_err(|problem| TruthError::File { path: path.display().to_string(), problem })
    }

    /// The content of a file at `path`.
    fn text(&self, path: &Path) -> String {
        let mut text = format!("{TITLE}\n");
        let mut say = |key: &str, value: serde_json::Value| {
            let _ = writeln!(text, "# {key}: {value}");
        };
        match &self.place {
            WatchedSource::Video(video) => say("video", json!(seen_from(video, path).to_string_lossy())),
            WatchedSource::Demo(scene) => say("demo", json!(scene)),
            WatchedSource::Camera(address) => say("camera", json!(address)),
        }
        self.lines.iter().for_each(|line| say("line", json!(line)));
        if let Some((from, to)) = self.read {
            say("read", json!([from, to]));
        }
        say("watched", json!(self.watched));
        say("tolerance", json!(self.tolerance));
        let mut rows = csv::WriterBuilder::new().from_writer(Vec::new());
        // Writing into memory does not fail.
        let _ = rows.write_record(COLUMNS);
        for tap in &self.taps {
            let time = format!("{:.3}", tap.time);
            let _ = rows.write_record([&time, &text_cell(&tap.line), tap.direction.word()]);
        }
        let rows = rows.into_inner().unwrap_or_default();
        text + &String::from_utf8_lossy(&rows)
    }
}

/// `video` as it is found from the folder of `file`: relative where it lies in it.
fn seen_from(video: &Path, file: &Path) -> PathBuf {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (video, file) = (whole(video), whole(file));
    let within = file.parent().and_then(|folder| video.strip_prefix(folder).ok());
    within.map(Path::to_owned).unwrap_or(video)
}

/// Number of the line and what is wrong there.
type Fault = (u64, String);

fn parse(text: &str, folder: &Path) -> Result<Truth, Fault> {
    if text.lines().next().map(str::trim_end) != Some(TITLE) {
        return Err((
            1,
            format!("'audit --save' did not write this file; its first line would be '{TITLE}'"),
        ));
    }
    let (mut place, mut lines, mut read, mut watched, mut tolerance) =
        (None, Vec::new(), None, f64::INFINITY, super::TOLERANCE);
    let mut rows = text;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(comment) = line.strip_prefix('#') else { break };
        rows = &rows[(line.len() + 1).min(rows.len())..];
        let Some((key, value)) = comment.trim().split_once(':') else { continue };
        let fault = |problem: String| (number, format!("'{key}' {problem}"));
        match key {
            "video" => {
                place = Some(WatchedSource::Video(folder.join(json_of::<String>(value).map_err(fault)?)));
            }
            "demo" => place = Some(WatchedSource::Demo(json_of(value).map_err(fault)?)),
            "camera" => place = Some(WatchedSource::Camera(json_of(value).map_err(fault)?)),
            "line" => lines.push(json_of::<LineConfig>(value).map_err(fault)?),
            "read" => read = Some(json_of::<(f64, f64)>(value).map_err(fault)?),
            "watched" => watched = json_of(value).map_err(fault)?,
            "tolerance" => tolerance = json_of(value).map_err(fault)?,
            // A remark of somebody's.
            _ => {}
        }
    }
    let head = text.lines().take_while(|line| line.starts_with('#')).count() as u64;
    let place = place.ok_or((head, "no '# video:' says what was watched".to_owned()))?;
    if lines.is_empty() {
        return Err((head, "no '# line:' says which line was watched".into()));
    }
    let mut taps = taps(rows, head, &lines)?;
    taps.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(Truth { place, lines, read, watched, tolerance, taps })
}

fn json_of<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    serde_json::from_str(value).map_err(|error| format!("cannot be read: {error}"))
}

fn taps(rows: &str, head: u64, lines: &[LineConfig]) -> Result<Vec<Tap>, Fault> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(rows.as_bytes());
    let mut taps = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| (head + 1, error.to_string()))?;
        let number = head + row.position().map_or(1, csv::Position::line);
        let cell = |index: usize| row.get(index).unwrap_or_default();
        let time = cell(0).parse::<f64>().ok().filter(|time| time.is_finite());
        let time = time.ok_or_else(|| (number, format!("'{}' is not a time in seconds", cell(0))))?;
        let named = |line: &&LineConfig| text_cell(&line.name) == cell(1) || line.name == cell(1);
        let line = lines.iter().find(named).ok_or_else(|| {
            let known: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
            (number, format!("there is no line '{}'; its lines are {}", cell(1), known.join(", ")))
        })?;
        let direction = match cell(2) {
            "in" => Direction::In,
            "out" => Direction::Out,
            other => return Err((number, format!("'{other}' is not a direction; write in or out"))),
        };
        taps.push(Tap::new(time, line.name.clone(), direction));
    }
    Ok(taps)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn truth() -> Truth {
        let line = |name: &str| LineConfig { name: name.into(), ..LineConfig::default() };
        Truth {
            place: WatchedSource::Video("/films/a door.mp4".into()),
            lines: vec![line("door, \"left\""), line("=door")],
            read: Some((0.0, 42.733_333_333)),
            watched: 42.7,
            tolerance: 1.5,
            taps: vec![
                Tap::new(2.533_333, "door, \"left\"", Direction::In),
                Tap::new(12.0, "=door", Direction::Out),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.csv");
        truth().write(&path).unwrap();
        assert_eq!(Truth::read(&path).unwrap(), truth());
        assert!(std::fs::read_to_string(&path).unwrap().contains("\n12.000,'=door,out\n"));
    }

    #[test]
    fn a_video_beside_the_file_moves_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (there, here) = (folder.path().join("there"), folder.path().join("here"));
        [&there, &here].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        let truth = Truth { place: WatchedSource::Video(there.join("door.mp4")), ..truth() };
        truth.write(&there.join("truth.csv")).unwrap();
        std::fs::rename(there.join("truth.csv"), here.join("truth.csv")).unwrap();
        let moved = Truth::read(&here.join("truth.csv")).unwrap();
        assert_eq!(moved.place, WatchedSource::Video(here.join("door.mp4")));
    }

    #[test]
    fn a_camera_is_written_without_its_password() {
        use crate::config::SourceConfig;
        let source = SourceConfig::from_source_string("rtsp://admin:hunter2@cam.lan/1", &BTreeSet::new());
        let place = WatchedSource::of(&source.unwrap().source);
        let text = Truth { place, ..truth() }.text(Path::new("truth.csv"));
        assert!(text.contains("# camera: \"rtsp://cam.lan/1\"") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let good = truth().text(Path::new("/films/truth.csv"));
        let fault = |text: &str| parse(text, Path::new("")).unwrap_err();
        assert_eq!(fault("time,line\n").0, 1);
        let wrong = good.replace(",out", ",over");
        assert_eq!(fault(&wrong), (10, "'over' is not a direction; write in or out".into()));
        assert_eq!(fault(&good.replace("2.533", "soon")), (9, "'soon' is not a time in seconds".into()));
        let unknown = fault(&good.replace("12.000,'=door", "12.000,gate"));
        assert_eq!(unknown, (10, "there is no line 'gate'; its lines are door, \"left\", =door".into()));
        assert!(fault(&good.replace("# video:", "# film:")).1.contains("says what was watched"));
        assert!(fault(&good.replace(": [0.0,42", ": [zero,42")).1.starts_with("'read' cannot be read"));
    }
}
