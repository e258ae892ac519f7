//! Source strings: what a user writes to name a camera, a file, a folder or a scene.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStringExt as _, fs::FileTypeExt as _},
    path::{Path, PathBuf},
};

use url::Url;

use super::{
    Address, SourceSpec, demo::DemoSpec, env, env::Lookup, limits, secret, text, videos, videos::VideoMatches,
};

/// Schemes of cameras.
const SCHEMES: [&str; 4] = ["rtsp", "rtsps", "http", "https"];

/// What stands before a path that is taken as it is, with `%41` for characters that cannot be written.
const FILE: &str = "file://";

/// Highest number of a `/dev/videoN`; the kernel has 256 minor numbers.
const DEVICE_LIMIT: u32 = 255;

/// What a source string names.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    /// One source.
    One(SourceSpec),
    /// The videos of a folder or of a pattern; may be none.
    Several(VideoMatches),
}

/// Reads a source string, with paths relative to `base`; `~/` is what `lookup` says of `HOME`.
///
/// # Errors
/// One sentence, without secrets.
pub(super) fn parse(written: &str, base: &Path, lookup: Lookup<'_>) -> Result<Named, String> {
    let written = written.trim();
    if written.is_empty() {
        return Err("'' is empty; write an address, a device number, a file, a folder or demo:lobby".into());
    }
    if let Some(control) = written.chars().find(|c| c.is_control()) {
        return Err(format!(
            "holds the control character U+{0:04X}; remove it, or name a file as file:///folder/a%{0:02X}b.mp4",
            u32::from(control)
        ));
    }
    if let Some(scene) = written.strip_prefix("demo:") {
        let scene = scene.trim_start_matches("//");
        return scene.parse::<DemoSpec>().map(|_| Named::One(SourceSpec::Demo(scene.to_owned())));
    }
    if let Ok(number) = written.strip_prefix("/dev/video").unwrap_or(written).parse::<u32>() {
        return if number <= DEVICE_LIMIT {
            Ok(Named::One(SourceSpec::device(number)))
        } else {
            Err(format!("there is no device '{number}'; device numbers go from 0 to {DEVICE_LIMIT}"))
        };
    }
    if let Some((scheme, path)) = written.split_at_checked(FILE.len())
        && scheme.eq_ignore_ascii_case(FILE)
    {
        return file_url(path, base, lookup);
    }
    match written.split_once("://") {
        Some((scheme, _)) => url(scheme, written).map(Named::One),
        None => path_or_several(written, base, lookup),
    }
}

fn url(scheme: &str, written: &str) -> Result<SourceSpec, String> {
    let lower = scheme.to_ascii_lowercase();
    if !SCHEMES.contains(&lower.as_str()) {
        let near = text::nearest(&lower, &SCHEMES).map_or_else(
            || format!("; known are {}", SCHEMES.join(", ")),
            |near| format!("; did you mean '{near}'?"),
        );
        // What stands before the slashes may be a password in the wrong place.
        let is_word = scheme.len() <= 12 && scheme.chars().all(|c| c.is_ascii_alphabetic());
        let scheme = if is_word { format!("'{scheme}://'") } else { "this".to_owned() };
        return Err(format!("{scheme} is no kind of source that can be opened{near}"));
    }
    let shown = Address(written);
    let parsed = Url::parse(written).map_err(|error| {
        let hint = if written.contains('@') {
            "; if the password holds one of @ : / ? # %, write it as %40 %3A %2F %3F %23 %25"
        } else {
            ""
        };
        format!("'{shown}' is no address ({error}){hint}")
    })?;
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(format!("'{shown}' names no host; write {lower}://HOST/PATH"));
    }
    let beyond_host = &parsed[url::Position::AfterPort..];
    if beyond_host.contains('@') {
        return Err(format!(
            "'{shown}' has an '@' after the host; if it ends a password, write the password's own @ / ? # as \
             %40 %2F %3F %23, else write it as %40"
        ));
    }
    let split = secret::split(parsed);
    Ok(SourceSpec::Url { address: split.address, credentials: split.credentials, hidden: split.hidden })
}

fn path_or_several(written: &str, base: &Path, lookup: Lookup<'_>) -> Result<Named, String> {
    let shown = Address(written);
    if let Some((scheme, rest)) = written.split_once(':') {
        let lower = scheme.to_ascii_lowercase();
        if SCHEMES.contains(&lower.as_str()) {
            let lacking = if rest.starts_with('/') { "a slash" } else { "its slashes" };
            return Err(format!("'{shown}' lacks {lacking}; write {lower}://HOST/PATH"));
        }
    }
    let path = env::resolve(written, base, lookup);
    if is_device(&path) {
        return Ok(Named::One(SourceSpec::Device(path)));
    }
    if shown.has_login() && !path.exists() {
        return Err(format!("'{shown}' is no address without its scheme; write rtsp:// before it"));
    }
    if path.is_dir() {
        return Ok(Named::Several(videos::folder(&path, written)));
    }
    if written.contains(['*', '?', '[']) && !path.exists() {
        return several(written, base, lookup);
    }
    Ok(Named::One(SourceSpec::File(path)))
}

/// Whether `path` is a character device, by whatever name, or will be one when it is plugged in.
fn is_device(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(file) => file.file_type().is_char_device(),
        Err(_) => path.starts_with("/dev/v4l") || path.to_string_lossy().starts_with("/dev/video"),
    }
}

fn several(pattern: &str, base: &Path, lookup: Lookup<'_>) -> Result<Named, String> {
    match pattern.strip_prefix("~/") {
        Some(rest) => videos::pattern(rest, &env::resolve("~/", base, lookup)),
        None => videos::pattern(pattern, base),
    }
    .map(Named::Several)
}

/// What follows `file://`: a path with `%41` for any byte, or a pattern.
fn file_url(path: &str, base: &Path, lookup: Lookup<'_>) -> Result<Named, String> {
    let (host, _) = path.split_once('/').unwrap_or((path, ""));
    // The text is not repeated: what stands before the '@' may be a password.
    if host.contains('@') {
        return Err("a file takes no user name or password; write file:///folder/video.mp4".into());
    }
    let path = if host.eq_ignore_ascii_case("localhost") { &path[host.len()..] } else { path };
    let bytes = secret::percent_decoded(path);
    if bytes.is_empty() || bytes.contains(&0) {
        return Err("'file://' names no file; write file:///folder/video.mp4".into());
    }
    let file = base.join(OsString::from_vec(bytes));
    if path.contains(['*', '?', '[']) && !file.exists() {
        return several(path, base, lookup);
    }
    Ok(named_exactly(file))
}

/// The file or folder of this very name, which may be no text.
pub(super) fn named_exactly(path: PathBuf) -> Named {
    if path.is_dir() {
        return Named::Several(videos::folder(&path, &text::printable(&path.to_string_lossy())));
    }
    Named::One(if is_device(&path) { SourceSpec::Device(path) } else { SourceSpec::File(path) })
}

/// Whether an argument is better taken as the name of the file that is there than as it would be read.
pub(super) fn is_file_name(argument: &OsStr) -> bool {
    let Some(text) = argument.to_str() else { return true };
    let odd = text.contains("${") || text.trim() != text || text.contains(char::is_control);
    odd && Path::new(argument).symlink_metadata().is_ok()
}

/// The file or device `video` as a configuration in `folder` (absolute) names it, before `${` is escaped: relative where it
/// lies below it, and read back as the same file whatever its name holds.
pub(super) fn written(video: &Path, folder: &Path, lookup: Lookup<'_>) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let video = whole(video);
    let inner = video.strip_prefix(folder).ok();
    let plain =
        [inner.map(Path::to_owned), inner.map(|inner| Path::new(".").join(inner)), Some(video.clone())];
    let reads_back = |text: &&str| {
        // With a character of patterns it would be another file once this one is gone.
        !text.contains(['*', '?', '['])
            && matches!(
                parse(text, folder, lookup),
                Ok(Named::One(SourceSpec::File(path) | SourceSpec::Device(path))) if whole(&path) == video
            )
    };
    let plain = plain.iter().flatten().filter_map(|path| path.to_str()).find(reads_back);
    plain.map_or_else(
        || {
            let path = inner.map_or_else(|| video.clone(), |inner| Path::new(".").join(inner));
            format!("{FILE}{}", percent_encoded(&path))
        },
        str::to_owned,
    )
}

/// A path as it stands in a `file://` address. Letters of all scripts stay as they are.
fn percent_encoded(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_alphanumeric() || "/!$&'()+,;=:@-._~".contains(c) {
                out.push(c);
            } else {
                out.extend(c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")));
            }
        }
        out.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    out
}

/// An id for a source that was given none: from its file name, host or scene, not yet in `taken`.
pub(super) fn derive_id(spec: &SourceSpec, taken: &BTreeSet<String>) -> String {
    let base = match spec {
        SourceSpec::File(path) => {
            path.file_stem().map_or_else(|| "video".into(), |stem| stem.to_string_lossy().into_owned())
        }
        SourceSpec::Device(path) => {
            path.file_name().map_or_else(|| "camera".into(), |name| name.to_string_lossy().into_owned())
        }
        SourceSpec::Demo(scene) => {
            format!("demo_{}", scene.split_once('?').map_or(scene.as_str(), |(name, _)| name))
        }
        SourceSpec::Url { address, .. } => address.host_str().unwrap_or("camera").to_owned(),
    };
    unused(&slug(&base), taken)
}

/// `base`, or `base_2` and so on, whichever is not taken and may be an id.
pub(super) fn unused(base: &str, taken: &BTreeSet<String>) -> String {
    let mut id = base.to_owned();
    let mut number = 2;
    while taken.contains(&id) || limits::check_id(&id).is_err() {
        id = format!("{base}_{number}");
        number += 1;
    }
    id
}

/// Letters, digits, `_`, `-` and inner dots of `text`; everything else becomes one `_`.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(48) {
        if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    let out = out.trim_matches(['.', '_']);
    if out.is_empty() { "source".to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Named, String> {
        parse(text, Path::new("/base"), &|_| None)
    }

    fn one(text: &str) -> SourceSpec {
        match read(text) {
            Ok(Named::One(spec)) => spec,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn each_kind_is_recognised() {
        assert_eq!(one("0"), SourceSpec::device(0));
        assert_eq!(one("/dev/video3"), SourceSpec::device(3));
        assert_eq!(one("v/a.mp4"), SourceSpec::File("/base/v/a.mp4".into()));
        let by_id = "/dev/v4l/by-id/usb-Cam-video-index0";
        assert_eq!(one(by_id), SourceSpec::Device(by_id.into()), "also while it is not plugged in");
        assert_eq!(
            one("/dev/null"),
            SourceSpec::Device("/dev/null".into()),
            "whatever is a character device"
        );
        assert_eq!(one("/dev/shm/a.mp4"), SourceSpec::File("/dev/shm/a.mp4".into()));
        assert_eq!(one("file:///v/a.mp4"), SourceSpec::File("/v/a.mp4".into()));
        assert_eq!(one("demo:lobby?people=2"), SourceSpec::Demo("lobby?people=2".into()));
        assert_eq!(one("RTSP://Cam.lan/a").to_string(), "rtsp://Cam.lan/a");
        assert_eq!(one("rtsp://...").to_string(), "rtsp://...");
        assert_eq!(one("http://[fe80::1]:8080/v.mjpg").to_string(), "http://[fe80::1]:8080/v.mjpg");
    }

    #[test]
    fn credentials_leave_the_address() {
        let spec = one("rtsp://admin:hunter2@cam.lan/s?token=t0psecret");
        assert_eq!(spec.to_string(), "rtsp://cam.lan/s?token=***");
        assert!(!format!("{spec:?}").contains("hunter2"));
        assert_eq!(spec.opening_url().unwrap().as_str(), "rtsp://admin:hunter2@cam.lan/s?token=t0psecret");
        assert_eq!(spec.request_url().unwrap().as_str(), "rtsp://cam.lan/s?token=t0psecret");
        assert_eq!(spec.redact("401 for hunter2"), "401 for ***");
    }

    #[test]
    fn each_mistake_is_one_sentence() {
        for (text, wanted) in [
            ("", "'' is empty; write an address, a device number, a file, a folder or demo:lobby"),
            ("rstp://cam/1", "'rstp://' is no kind of source that can be opened; did you mean 'rtsp'?"),
            (
                "ftp://cam/1",
                "'ftp://' is no kind of source that can be opened; known are rtsp, rtsps, http, https",
            ),
            ("rtsp://", "'rtsp://' names no host; write rtsp://HOST/PATH"),
            ("rtsp:/cam/1", "'rtsp:/cam/1' lacks a slash; write rtsp://HOST/PATH"),
            ("300", "there is no device '300'; device numbers go from 0 to 255"),
            (
                "rtsp://u:pa#ss@cam/1",
                "'rtsp://***@cam/1' is no address (invalid port number); if the password holds one of \
                 @ : / ? # %, write it as %40 %3A %2F %3F %23 %25",
            ),
            (
                "rtsp://u:p@s/s@cam/1",
                "'rtsp://***@cam/1' has an '@' after the host; if it ends a password, write the password's \
                 own @ / ? # as %40 %2F %3F %23, else write it as %40",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), wanted, "{text}");
        }
    }

    #[test]
    fn a_file_address_is_a_path_with_any_byte() {
        assert_eq!(
            one("file:///v/a%20b%FF.mp4"),
            SourceSpec::File(OsString::from_vec(b"/v/a b\xFF.mp4".into()).into())
        );
        assert_eq!(one("FILE://localhost/v/a.mp4"), SourceSpec::File("/v/a.mp4".into()));
        assert_eq!(one("file://./100%.mp4"), SourceSpec::File("/base/100%.mp4".into()));
        assert!(read("file:///a%00.mp4").is_err());
    }

    #[test]
    fn ids_are_derived_and_unique() {
        let mut taken = BTreeSet::new();
        for (text, wanted) in [
            ("a/test 1.mp4", "test_1"),
            ("b/test 1.avi", "test_1_2"),
            ("rtsp://u:p@10.0.0.5:554/s", "10.0.0.5"),
            ("demo:plaza?seed=3", "demo_plaza"),
            ("2", "video2"),
            ("a/+.mp4", "source"),
            ("worker_1.mp4", "worker_1_2"),
            ("parallel_counter.mp4", "parallel_counter_2"),
        ] {
            let id = derive_id(&one(text), &taken);
            assert_eq!(id, wanted);
            taken.insert(id);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_password_is_shown(text in any::<String>(), tail in "[ -~]{0,20}") {
            let _ = read(&text);
            let shown = match read(&format!("rtsp://user:Pa55word{tail}@host/1")) {
                Ok(named) => format!("{named:?}"),
                Err(message) => message,
            };
            prop_assert!(!shown.contains("Pa55word"), "{}", shown);
        }
    }
}
