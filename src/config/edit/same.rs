//! Whether a source that was read is the one that was written.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use url::Url;

use crate::{
    config::{DemoSpec, SourceConfig, SourceSpec, secret::percent_decoded},
    model::{Drawn, LineConfig, Polygon, ZoneConfig},
};

/// Coordinates are written in thousandths.
const ROUNDING: f32 = 0.000_6;

/// Whether both are the same thing to open, wherever a path is relative to.
pub(super) fn same_spec(one: &SourceSpec, other: &SourceSpec) -> bool {
    match (one, other) {
        (SourceSpec::File(one), SourceSpec::File(other))
        | (SourceSpec::Device(one), SourceSpec::Device(other)) => {
            let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            whole(one) == whole(other)
        }
        _ => one == other,
    }
}

/// Whether both open the same camera, device, file or scene, however they are written: a path relative or with links in
/// it, a host in capitals, a port that is the usual one, another login.
#[must_use]
pub fn same_place(one: &SourceSpec, other: &SourceSpec) -> bool {
    use SourceSpec::{Demo, Device, File};
    match (one, other) {
        (File(one) | Device(one), File(other) | Device(other)) => real(one) == real(other),
        (Demo(one), Demo(other)) => {
            one == other
                || matches!((one.parse::<DemoSpec>(), other.parse::<DemoSpec>()), (Ok(one), Ok(other)) if one == other)
        }
        _ => match (one.request_url(), other.request_url()) {
            (Some(one), Some(other)) => address(&one) == address(&other),
            _ => false,
        },
    }
}

/// Where a path leads, also when there is nothing.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(real) = fs::canonicalize(&whole) {
        return real;
    }
    let folder = whole.parent().and_then(|folder| fs::canonicalize(folder).ok());
    if let (Some(folder), Some(name)) = (folder, whole.file_name()) {
        return folder.join(name);
    }
    let mut plain = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// What of an address tells one stream from another.
fn address(url: &Url) -> (String, String, Option<u16>, Vec<u8>, Option<String>) {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_lowercase();
    let usual = match url.scheme() {
        "rtsp" => Some(554),
        "rtsps" => Some(322),
        _ => None,
    };
    let path = if url.path().is_empty() { "/" } else { url.path() };
    let query = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
    (url.scheme().to_lowercase(), host, url.port_or_known_default().or(usual), percent_decoded(path), query)
}

/// Whether `drawn` is on the frame of `source`, as it is written.
pub(super) fn has_drawn(source: &SourceConfig, drawn: &Drawn) -> bool {
    same_lines(&source.lines, &drawn.lines)
        && same_zones(&source.zones, &drawn.zones)
        && same_regions(&source.ignore, &drawn.ignore)
}

fn same_lines(one: &[LineConfig], other: &[LineConfig]) -> bool {
    // An empty list stands for the default line.
    let default = [LineConfig::default()];
    let other = if other.is_empty() { &default[..] } else { other };
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (&one.name, one.anchor) == (&other.name, other.anchor)
                && near(one.a, other.a)
                && near(one.b, other.b)
        })
}

fn same_zones(one: &[ZoneConfig], other: &[ZoneConfig]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            (&one.name, one.anchor, one.threshold) == (&other.name, other.anchor, other.threshold)
                && same_corners(&one.points, &other.points)
        })
}

fn same_regions(one: &[Polygon], other: &[Polygon]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_corners(one, other))
}

fn same_corners(one: &[[f32; 2]], other: &[[f32; 2]]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| near(*one, *other))
}

fn near(one: [f32; 2], other: [f32; 2]) -> bool {
    (one[0] - other[0]).abs() <= ROUNDING && (one[1] - other[1]).abs() <= ROUNDING
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, os::unix::fs::symlink};

    use super::*;

    fn spec(text: &str) -> SourceSpec {
        SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap().source
    }

    #[test]
    fn the_same_stream_is_known_however_its_address_is_written() {
        let first = spec("rtsp://admin:a@Cam.Lan:554/s/1?ch=1");
        for same in
            ["rtsp://cam.lan/s/1?ch=1", "RTSP://u:p@CAM.lan./s/%31?ch=1", "rtsp://cam.lan:554/s/1?ch=1"]
        {
            assert!(same_place(&first, &spec(same)), "{same}");
        }
        for other in [
            "rtsp://cam.lan/s/1",
            "rtsp://cam.lan/s/1?ch=2",
            "rtsp://cam.lan/S/1?ch=1",
            "rtsp://cam.lan:8554/s/1?ch=1",
            "rtsps://cam.lan/s/1?ch=1",
            "rtsp://cam2.lan/s/1?ch=1",
            "demo:lobby",
            "0",
        ] {
            assert!(!same_place(&first, &spec(other)), "{other}");
        }
        assert!(same_place(&spec("http://h"), &spec("http://H:80/")));
        assert!(same_place(&spec("rtsp://h"), &spec("rtsp://h:554/")));
        assert!(same_place(&spec("rtsps://h/1"), &spec("rtsps://h:322/1")));
        assert!(same_place(&spec("0"), &spec("/dev/video0")));
        assert!(same_place(&spec("demo:lobby?seed=2&people=6"), &spec("demo:lobby?people=6&seed=2")));
        assert!(!same_place(&spec("demo:lobby?seed=2"), &spec("demo:lobby?seed=3")));
    }

    #[test]
    fn the_same_file_is_known_by_any_path_that_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("a.mp4");
        fs::write(&video, "").unwrap();
        symlink(&video, folder.path().join("link.mp4")).unwrap();
        symlink(folder.path(), folder.path().join("here")).unwrap();
        let file = |path: &str| SourceSpec::File(folder.path().join(path));
        fs::create_dir(folder.path().join("x")).unwrap();
        for same in ["./a.mp4", "here/a.mp4", "link.mp4", "x/../a.mp4", "here/here/link.mp4"] {
            assert!(same_place(&file("a.mp4"), &file(same)), "{same}");
        }
        assert!(!same_place(&file("a.mp4"), &file("b.mp4")));
        assert!(same_place(&file("gone/./b.mp4"), &file("gone/x/../b.mp4")), "also what is not there");
        assert!(same_place(&file("b.mp4"), &file("here/b.mp4")));
        let relative = std::path::absolute("Cargo.toml").unwrap();
        assert!(same_place(&spec("Cargo.toml"), &SourceSpec::File(relative)));
    }
}
