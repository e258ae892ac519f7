//! Text files in the form of the MOT challenge.
//!
//! A row is `frame,id,left,top,width,height,confidence,...`: frames from 1, pixels of the video, id -1 for
//! detections that belong to no track. Of the columns that are left over, recordings use the first. Recorded detections, tracks written and truth read all share it.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use super::EvalError;
use crate::{files, geometry::BBox};

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotBox {
    /// Identity; -1 in files of detections.
    pub id: i64,
    /// In pixels.
    pub bbox: BBox,
    /// Confidence of a detection, 0..=1; in files of truth a flag, where 0 means "to be ignored".
    pub confidence: f32,
    /// Share (0..=1) of the box in which something moves, in recorded detections; else -1 or whatever is there.
    pub moving: f32,
}

/// Rows by frame number (from 1).
pub type Rows = BTreeMap<u32, Vec<MotBox>>;

/// Reads a file of rows. Columns beyond the eighth are ignored; a missing seventh is 1, a missing eighth -1.
///
/// # Errors
/// When the file cannot be read or a row has fewer than six numbers.
pub fn read(path: &Path) -> Result<Rows, EvalError> {
    let text = std::fs::read_to_string(path).map_err(|error| EvalError::file(path, &error))?;
    parse(&text).map_err(|(line, problem)| EvalError::Content {
        path: path.display().to_string(),
        problem: format!("line {line}: {problem}"),
    })
}

/// Empty lines and comments (`#`) are no rows.
fn is_row(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

/// Reads rows; an error names the line (from 1).
///
/// # Errors
/// When a row has fewer than six numbers.
pub fn parse(text: &str) -> Result<Rows, (usize, String)> {
    let mut rows = Rows::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| is_row(line)) {
        let mut values =
            line.split([',', ' ', '\t']).filter(|value| !value.is_empty()).map(str::parse::<f64>);
        let mut next = || match values.next() {
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err((index + 1, format!("'{line}' holds something that is not a number"))),
            None => Ok(None),
        };
        let mut fields = [0.0; 6];
        for field in &mut fields {
            *field = next()?.ok_or_else(|| {
                (index + 1, format!("'{line}' has fewer than six columns: frame,id,left,top,width,height"))
            })?;
        }
        let confidence = next()?.unwrap_or(1.0);
        let moving = next()?.unwrap_or(-1.0);
        let [frame, id, x, y, w, h] = fields;
        let bbox = BBox::new(x as f32, y as f32, w as f32, h as f32);
        rows.entry(frame as u32).or_default().push(MotBox {
            id: id as i64,
            bbox,
            confidence: confidence as f32,
            moving: moving as f32,
        });
    }
    Ok(rows)
}

/// Writes rows, frame by frame.
///
/// # Errors
/// When `out` does not take them.
pub fn write(rows: &Rows, out: &mut dyn Write) -> std::io::Result<()> {
    for (frame, rows) in rows {
        for MotBox { id, bbox: BBox { x, y, w, h }, confidence, moving } in rows {
            let moving = (moving * 1000.0).round() / 1000.0;
            writeln!(out, "{frame},{id},{x:.2},{y:.2},{w:.2},{h:.2},{confidence:.4},{moving},-1,-1")?;
        }
    }
    Ok(())
}

/// Size and frame rate of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceInfo {
    /// Name.
    pub name: String,
    /// Frames per second.
    pub fps: f64,
    /// Number of frames.
    pub frames: u32,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

/// Reads `seqinfo.ini`.
///
/// # Errors
/// When the file cannot be read or lacks `frameRate`, `seqLength`, `imWidth` or `imHeight`.
pub fn read_sequence_info(path: &Path) -> Result<SequenceInfo, EvalError> {
    let text = std::fs::read_to_string(path).map_err(|error| EvalError::file(path, &error))?;
    let values: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect();
    let number = |key: &str| {
        values.get(key).and_then(|value| value.parse::<f64>().ok()).filter(|&value| value > 0.0).ok_or_else(
            || EvalError::Content {
                path: path.display().to_string(),
                problem: format!("'{key}' is missing or not a number above 0"),
            },
        )
    };
    Ok(SequenceInfo {
        name: values.get("name").map_or_else(String::new, ToString::to_string),
        fps: number("frameRate")?,
        frames: number("seqLength")? as u32,
        size: (number("imWidth")? as u32, number("imHeight")? as u32),
    })
}

/// The file of a scene or sequence in `folder`; its name comes from a file and must not lead elsewhere.
pub fn file_of(folder: &Path, name: &str) -> Result<PathBuf, EvalError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(EvalError::Content {
            path: name.to_owned(),
            problem:
                "the name of a scene is the name of its files: no '/' in it, and no '.' at its beginning"
                    .into(),
        });
    }
    Ok(folder.join(format!("{name}.txt")))
}

/// Writes tracks to the file `path`.
pub fn write_tracks(rows: &Rows, path: &Path) -> Result<(), EvalError> {
    let write = || {
        let mut draft = files::Draft::new(path, files::SHARED)?;
        let mut text = Vec::new();
        write(rows, &mut text)?;
        draft.write_all(&text)?;
        draft.keep()
    };
    write().map_err(|error| EvalError::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text =
            "1,-1,10.50,20.00,30.00,60.25,0.8123,-1,-1,-1\n3,7,1.00,2.00,3.00,4.00,1.0000,0.25,-1,-1\n";
        let rows = parse(text).unwrap();
        assert_eq!(rows[&1][0].bbox, BBox::new(10.5, 20.0, 30.0, 60.25));
        assert_eq!([rows[&1][0].moving, rows[&3][0].moving], [-1.0, 0.25]);
        let mut out = Vec::new();
        write(&rows, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn a_bad_row_is_named() {
        assert_eq!(parse("1,1,0,0,5,5\n\n2,1,0,0,x,5\n").unwrap_err().0, 3);
        assert!(parse("1,1,0,0,5").unwrap_err().1.contains("fewer than six"));
    }
}
