//! What finds people: the engine, and each detector that is used, which runs once.

use std::{path::Path, sync::Arc};

use super::{finding::Finding, site::Site};
use crate::{
    config::{DemoSpec, DetectorChoice, EngineChoice},
    detect::{self, LoadedLibrary, Model},
    model::SourceKind,
    source::{Frame, FrameSource as _, SourceError, demo::Demo},
};

/// A scene whose first frame is detected in.
const SCENE: &str = "lobby?people=4&seed=1";

/// ONNX Runtime, or OpenCV where that is wanted.
pub fn engine(site: &Site) -> Vec<Finding> {
    let wanted = site.config.parallel.engine;
    if wanted == EngineChoice::OpenCv {
        return vec![Finding::ok(format!("OpenCV {}, as 'engine' says", detect::opencv_version()))];
    }
    match detect::onnx_runtime() {
        Ok(LoadedLibrary { path, version, refused }) => {
            let version = version.as_deref().unwrap_or("of an unknown version");
            let place = place(site, &path);
            let found = Finding::ok(format!("ONNX Runtime {version}, {place}"));
            let refused = refused.iter().map(|why| Finding::advice(site.veil.said(why)));
            std::iter::once(found).chain(refused).collect()
        }
        Err(error) => {
            let sentence = site.veil.said(&error.to_string());
            vec![if wanted == EngineChoice::OnnxRuntime {
                Finding::fail(sentence, "install it (scripts/setup does), or set 'engine' to 'auto'")
            } else {
                Finding::warn(
                    format!("{sentence}; OpenCV runs the models instead, several times slower"),
                    "install it: scripts/setup does; models/README.md says where it is searched",
                )
            }]
        }
    }
}

/// Where a library was found, in words.
fn place(site: &Site, path: &Path) -> String {
    if site.veil.shows() {
        return format!("in {}", site.veil.path(path));
    }
    let is_named = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|named| Path::new(&named) == path);
    let is_of_user = std::env::var_os("HOME").is_some_and(|home| path.starts_with(home));
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    let words = if is_named {
        "named by ORT_DYLIB_PATH"
    } else if beside.is_some_and(|beside| path.starts_with(beside)) {
        "beside the program"
    } else if path.starts_with("/usr") {
        "in a folder of the system"
    } else if is_of_user {
        "in a folder of the user"
    } else {
        "in a folder of its own"
    };
    words.to_owned()
}

/// Each detector that is used: loads it, and detects in a frame of a demo scene.
pub fn detectors(site: &Site) -> Vec<Finding> {
    site.detectors().iter().map(|choice| tried(site, choice)).collect()
}

fn tried(site: &Site, choice: &DetectorChoice) -> Finding {
    let settings = &site.config.parallel;
    let model = match detect::load(choice, &settings.models, 1, settings.engine) {
        Ok(model) => model,
        Err(error) => {
            let fix = "correct 'detector', or leave it out: then the embedded model counts";
            return Finding::fail(site.veil.said(&error.to_string()), fix);
        }
    };
    let info = model.info().clone();
    let name = site.veil.said(&info.name);
    let taken = match run(site, &*model) {
        Ok(taken) => taken,
        Err(problem) => {
            let fix = "name another 'detector' or 'engine', and report it: it should not have been loaded";
            return Finding::fail(format!("{name} does not run: {}", site.veil.said(&problem)), fix);
        }
    };
    let sentence = format!("{name} on {}, one detection run in {taken} ms", info.engine);
    match info.note {
        // Said of the engine already.
        Some(note) if !note.starts_with("ONNX Runtime") => {
            Finding::advice(format!("{sentence}; {}", site.veil.said(&note)))
        }
        _ => Finding::ok(sentence),
    }
}

/// Milliseconds of a detection run; the first one, which takes longer, is not the one that is measured.
fn run(site: &Site, model: &dyn Model) -> Result<u128, String> {
    let frame = frame(site, model).map_err(|error| error.to_string())?;
    let mut detector = model.detector();
    detector.detect(&frame).map_err(|error| error.to_string())?;
    let begun = site.options.clock.now();
    detector.detect(&frame).map_err(|error| error.to_string())?;
    Ok(site.options.clock.now().saturating_duration_since(begun).as_millis())
}

fn frame(site: &Site, model: &dyn Model) -> Result<Frame, SourceError> {
    let spec: DemoSpec = SCENE.parse().map_err(SourceError::Unsupported)?;
    let mut scene = Demo::new(&spec, SourceKind::Video).source(Arc::clone(&site.options.clock))?;
    scene.grab()?;
    scene.retrieve(&|width, height| model.working_size(width, height))
}
