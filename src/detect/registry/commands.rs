//! What `models list`, `verify` and `fetch` say and do.

use std::{
    fmt::Write,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{KNOWN_MODELS, KnownFile, KnownModel, folders, read};
use crate::{
    config::{Address, ModelFolders, ModelFormat},
    detect::ort::library,
    progress::{Progress, Unit},
    trust::{self, Owner, installed::Installed, search},
};

/// How often the progress of a download is shown.
const LOOK: Duration = Duration::from_millis(50);

/// How one file of a model is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// There, and as expected.
    Whole,
    /// There, but nothing is known to compare it with.
    Unverified,
    /// Not there.
    Missing,
    /// There, but wrong in the way the sentence says.
    Wrong(String),
}

/// A known model with the state of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReport {
    /// What is known of it.
    pub model: &'static KnownModel,
    /// Path and state of each of its files, weights first.
    pub files: Vec<(PathBuf, FileState)>,
}

impl ModelReport {
    /// One word for a table.
    fn word(&self) -> &'static str {
        let any = |of: fn(&FileState) -> bool| self.files.iter().any(|(_, state)| of(state));
        if any(|s| matches!(s, FileState::Wrong(_))) {
            "wrong"
        } else if self.files.iter().all(|(_, s)| *s == FileState::Missing) {
            "missing"
        } else if any(|s| *s == FileState::Missing) {
            "incomplete"
        } else if any(|s| *s == FileState::Unverified) {
            "unverified"
        } else {
            "ready"
        }
    }
}

fn files_of(model: &KnownModel) -> impl Iterator<Item = &KnownFile> {
    std::iter::once(&model.weights).chain(model.prototxt.as_ref())
}

fn state(path: &Path, known: &KnownFile, owner: Owner) -> FileState {
    if !path.exists() {
        return FileState::Missing;
    }
    match read(path, owner) {
        Err(problem) => FileState::Wrong(problem),
        Ok(_) if known.digest.is_none() => FileState::Unverified,
        Ok(_) => FileState::Whole,
    }
}

/// The state of all known models, each in the first of the folders that has its weights.
#[must_use]
pub fn states(models: &ModelFolders) -> Vec<ModelReport> {
    let (folders, owner) = folders(models);
    KNOWN_MODELS
        .iter()
        .map(|model| {
            let has_it = |folder: &&PathBuf| folder.join(model.weights.name).exists();
            let folder = folders.iter().find(has_it).cloned().unwrap_or_else(|| home_of(models));
            let files = files_of(model).map(|known| {
                let path = folder.join(known.name);
                let state = state(&path, known, owner);
                (path, state)
            });
            ModelReport { model, files: files.collect() }
        })
        .collect()
}

/// The folder that new models go into.
fn home_of(models: &ModelFolders) -> PathBuf {
    match models {
        ModelFolders::Named(folder) => folder.clone(),
        ModelFolders::Usual(_) => Installed::of_this_process().own_models(),
    }
}

/// The table of `models list`: what detectors exist, which are ready in the folders, and which library runs them.
#[must_use]
pub fn list(models: &ModelFolders) -> String {
    let mut text = format!("{:<24} {:<10} {:<10} ABOUT\n", "NAME", "FORMAT", "STATE");
    let mut row = |name: &str, format: &str, state: &str, about: &str| {
        let _ = writeln!(text, "{name:<24} {format:<10} {state:<10} {about}");
    };
    for report in states(models) {
        let about = format!("{} ({})", report.model.about, report.model.licence);
        row(report.model.name, report.model.format.name(), report.word(), &about);
    }
    row("builtin", ModelFormat::Pcount.name(), "ready", "this project's own model, embedded in the program");
    row("motion", "-", "ready", "background subtraction; needs no file");
    let _ = writeln!(
        text,
        "\nFiles belong in '{}'; 'models fetch NAME --from FOLDER' copies one there.",
        trust::shown(&home_of(models))
    );
    let (library, refused) = library::survey();
    let _ = match library {
        Some(path) => writeln!(text, "ONNX Runtime: '{}'.", trust::shown(&path)),
        None => writeln!(text, "ONNX Runtime: no library; OpenCV runs the models, several times slower."),
    };
    for sentence in refused {
        let _ = writeln!(text, "ONNX Runtime: {sentence}.");
    }
    for sentence in super::refused(models) {
        let _ = writeln!(text, "{sentence}.");
    }
    text
}

/// The lines of `models verify`, and whether no file that is there is wrong.
#[must_use]
pub fn verify(models: &ModelFolders) -> (String, bool) {
    let mut text = String::new();
    let mut good = true;
    for (path, state) in states(models).into_iter().flat_map(|report| report.files) {
        let path = trust::shown(&path);
        let _ = match state {
            FileState::Missing => continue,
            FileState::Whole => writeln!(text, "ok          {path}"),
            FileState::Unverified => writeln!(text, "unverified  {path}"),
            FileState::Wrong(problem) => {
                good = false;
                writeln!(text, "wrong       {path} {problem}")
            }
        };
    }
    if text.is_empty() {
        let _ = writeln!(text, "No known model in '{}'.", trust::shown(&home_of(models)));
    }
    (text, good)
}

/// Gets a known model into the folder `models`, from `source`: a folder, or the address (`https://..`) of a
/// folder on a server, that holds the model's files under their known names. Each file is checked before it
/// gets its place. What is there and whole is left alone. When `progress` asks for the end, files that have their place
/// stay and nothing else is left.
///
/// Without `source` nothing is got: the weights' own addresses hold them in another form, from which they have
/// to be converted.
///
/// # Errors
/// One sentence: what is wrong or how to get the file.
pub fn fetch(
    name: &str,
    models: &ModelFolders,
    source: Option<&str>,
    progress: &Progress,
) -> Result<String, String> {
    let Some(model) = KNOWN_MODELS.iter().find(|model| model.name == name) else {
        let names: Vec<_> = KNOWN_MODELS.iter().map(|model| model.name).collect();
        return Err(format!("no model is called '{name}'; known are {}", names.join(", ")));
    };
    let models = &std::path::absolute(home_of(models)).map_err(|error| error.to_string())?;
    let mut text = String::new();
    for known in files_of(model) {
        let path = models.join(known.name);
        if let FileState::Whole | FileState::Unverified = state(&path, known, Owner::Anybody) {
            let _ = writeln!(text, "'{}' is there already", path.display());
            continue;
        }
        let Some(source) = source else {
            return Err(format!(
                "'{}' cannot be fetched by itself: name a folder or server that has it with --from; the \
                 weights come from {} ({})",
                path.display(),
                model.upstream,
                model.licence
            ));
        };
        fs::create_dir_all(models)
            .map_err(|error| format!("cannot make the folder '{}': {error}", models.display()))?;
        trust::folder(models, Owner::Anybody)
            .map_err(|problem| format!("'{}' {problem}", models.display()))?;
        if get(source, known, &path, progress)? {
            let _ = writeln!(text, "'{}' fetched", path.display());
        } else {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let of = known.size.map_or_else(String::new, |size| format!(" of {:.1}", mib(size)));
            let got = mib(progress.done());
            let _ = writeln!(text, "interrupted after {got:.1}{of} MiB; '{}' was not saved", path.display());
            break;
        }
    }
    Ok(text)
}

/// Gets one file, checks it, and puts it into its place in one step; `false` when `progress` asked for the end before.
fn get(source: &str, known: &KnownFile, to: &Path, progress: &Progress) -> Result<bool, String> {
    // The known name in a folder of its own, because the check goes by the name.
    let folder = to.parent().unwrap_or(Path::new("/"));
    let part = tempfile::Builder::new()
        .prefix(".fetch.")
        .tempdir_in(folder)
        .map_err(|error| format!("cannot make a folder in '{}': {error}", folder.display()))?;
    let file = part.path().join(known.name);
    progress.begin(known.size, Unit::Bytes);
    progress.name(known.name);
    let got = if source.starts_with("http://") || source.starts_with("https://") {
        download(&format!("{}/{}", source.trim_end_matches('/'), known.name), &file, progress)
    } else {
        let from = Path::new(source).join(known.name);
        copy(&from, &file, progress).map_err(|error| format!("cannot copy '{}': {error}", from.display()))
    };
    progress.end();
    if !got? {
        return Ok(false);
    }
    // With the mode of what it was copied from, others may be allowed to write to it.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))
        .map_err(|error| format!("cannot write '{}': {error}", file.display()))?;
    match read(&file, Owner::Ours) {
        Err(problem) => Err(format!("'{}' from '{}' {problem}", known.name, Address(source))),
        Ok(_) => fs::rename(&file, to)
            .map(|()| true)
            .map_err(|error| format!("cannot write '{}': {error}", to.display())),
    }
}

/// Copies a file; `false` when `progress` asked for the end before.
fn copy(from: &Path, to: &Path, progress: &Progress) -> io::Result<bool> {
    let (mut from, mut to) = (fs::File::open(from)?, fs::File::create(to)?);
    let mut piece = vec![0; 256 * 1024];
    while !progress.is_stopped() {
        match from.read(&mut piece)? {
            0 => return Ok(true),
            length => {
                to.write_all(&piece[..length])?;
                progress.advance(length as u64);
            }
        }
    }
    Ok(false)
}

/// Leaves proxies, certificates and redirects to `curl`, which every machine has set up its own way. `false` when
/// `progress` asked for the end before that of the file.
fn download(address: &str, to: &Path, progress: &Progress) -> Result<bool, String> {
    let shown = Address(address);
    let failed = |error| format!("cannot run 'curl' to fetch '{shown}': {error}");
    let curl = search::program("curl", &std::env::var_os("PATH").unwrap_or_default())
        .ok_or_else(|| format!("cannot fetch '{shown}': there is no 'curl' in PATH; install it"))?;
    let mut curl = Command::new(curl)
        .args(["--fail", "--silent", "--show-error", "--location", "--proto", "=http,https", "--output"])
        .arg(to)
        .args(["--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C in a terminal is for this program, which ends that one.
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    // Not as an argument, which every user of the machine can read.
    let quoted = address.replace('\\', "\\\\").replace('"', "\\\"");
    if let Some(mut stdin) = curl.stdin.take() {
        stdin.write_all(format!("url = \"{quoted}\"\n").as_bytes()).map_err(failed)?;
    }
    while curl.try_wait().map_err(failed)?.is_none() {
        if progress.is_stopped() {
            curl.kill().and_then(|()| curl.wait()).map_err(failed)?;
            return Ok(false);
        }
        progress.set(fs::metadata(to).map_or(0, |file| file.len()));
        std::thread::sleep(LOOK);
    }
    let output = curl.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(true);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("cannot fetch '{shown}': {}", said.lines().last().unwrap_or("curl failed").trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(folder: &Path) -> ModelFolders {
        ModelFolders::Named(folder.to_owned())
    }

    #[test]
    fn an_empty_folder_lists_every_model_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        let text = list(&named(folder.path()));
        assert!(text.starts_with("NAME                     FORMAT     STATE      ABOUT\n"), "{text}");
        for model in KNOWN_MODELS {
            let line = text.lines().find(|line| line.starts_with(&format!("{} ", model.name))).unwrap();
            assert!(line.contains(" missing "), "{line}");
        }
        let (text, good) = verify(&named(folder.path()));
        assert_eq!(text, format!("No known model in '{}'.\n", folder.path().display()));
        assert!(good);
    }

    #[test]
    fn wrong_files_are_named_with_what_was_expected_and_found() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        put("rtmdet_nano_person.onnx", b"short");
        put("yolox_nano_person.onnx", &vec![1; 3_599_649]);
        put("MobileNetSSD_deploy.prototxt", b"layer {}");
        put("person_ssd_dropin.prototxt", b"");
        let (text, good) = verify(&named(folder.path()));
        assert!(!good);
        let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line("rtmdet").ends_with("is cut off: expected 3988974 bytes, found 5"), "{text}");
        assert!(
            line("yolox").contains(
                "is damaged or another file: expected SHA-256 \
                 d9f03c5257026112bef6b436cc8d6ef12bbd1b1c8b78faae800e58890b62aad0, found "
            ),
            "{text}"
        );
        assert!(line("dropin").ends_with("is empty"), "{text}");
        assert!(line("MobileNetSSD").starts_with("unverified"), "{text}");
        let text = list(&named(folder.path()));
        let word = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
        assert!(word("rtmdet_nano_person ").contains(" wrong "), "{text}");
        assert!(word("MobileNetSSD").contains(" incomplete "), "{text}");
    }

    #[test]
    fn fetching_takes_only_the_right_file() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source = from.path().to_str().unwrap();
        let models = to.path().join("models");
        fs::write(from.path().join("person_ssd_dropin.caffemodel"), [7; 100]).unwrap();
        let error =
            fetch("person_ssd_dropin", &named(&models), Some(source), &Progress::hidden()).unwrap_err();
        assert!(error.contains("is cut off: expected 3713604 bytes, found 100"), "{error}");
        assert_eq!(fs::read_dir(&models).unwrap().count(), 0, "nothing is left behind");
        let error =
            fetch("rtmdet_nano_person", &named(&models), Some(source), &Progress::hidden()).unwrap_err();
        assert!(error.starts_with("cannot copy '"), "{error}");
        let error = fetch("rtmdet_nano_person", &named(&models), None, &Progress::hidden()).unwrap_err();
        assert!(error.contains("openmmlab") && error.contains("Apache-2.0"), "{error}");
        let error = fetch("nobody", &named(&models), None, &Progress::hidden()).unwrap_err();
        assert!(error.starts_with("no model is called 'nobody'; known are rtmdet_nano_person,"), "{error}");

        // A file that nothing is known of but its name is taken.
        fs::write(from.path().join("MobileNetSSD_deploy.prototxt"), "layer {}").unwrap();
        let (known, to) = (KNOWN_MODELS[6].prototxt.unwrap(), models.join("MobileNetSSD_deploy.prototxt"));
        assert!(get(source, &known, &to, &Progress::hidden()).unwrap());
        assert_eq!(fs::read_dir(&models).unwrap().count(), 1);
    }

    #[test]
    fn a_model_that_is_there_is_left_alone() {
        let Some(shared) = crate::detect::load::tests::shared() else { return };
        let to = tempfile::tempdir().unwrap();
        let source = shared.join("models");
        let models = to.path();
        let text = fetch("person_ssd_dropin", &named(models), source.to_str(), &Progress::hidden()).unwrap();
        assert_eq!(text.matches(" fetched").count(), 2, "{text}");
        let text = fetch("person_ssd_dropin", &named(models), None, &Progress::hidden()).unwrap();
        assert_eq!(text.matches(" is there already").count(), 2, "{text}");
        let (text, good) = verify(&named(&source));
        assert!(good, "{text}");
        assert_eq!(text.matches("ok   ").count(), 7, "{text}");
    }
}
