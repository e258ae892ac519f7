//! A clip whose true counts are known.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{EvalError, play::Clip};
use crate::{
    config::{SourceConfig, SourceSpec},
    geometry::Anchor,
    model::{LineConfig, SourceKind},
};

/// One scene.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Name; files made for it are called so.
    pub name: String,
    /// Size and frame rate.
    pub clip: Clip,
    /// Number of frames.
    pub frames: u32,
    /// The video.
    pub video: PathBuf,
    /// Lines with their true counts.
    pub lines: Vec<SceneLine>,
    /// True tracks in MOT form, where there are any.
    pub truth: Option<PathBuf>,
}

/// A line and its true counts.
#[derive(Debug, Clone)]
pub struct SceneLine {
    /// The line.
    pub config: LineConfig,
    /// True crossings in.
    pub true_in: u64,
    /// True crossings out.
    pub true_out: u64,
}

#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(default = "default_video")]
    video: PathBuf,
    fps: f64,
    frames: u32,
    width: u32,
    height: u32,
    #[serde(default)]
    lines: Vec<FileLine>,
    gt: Option<PathBuf>,
}

#[derive(Deserialize)]
struct FileLine {
    name: String,
    a: [f32; 2],
    b: [f32; 2],
    #[serde(default)]
    anchor: Anchor,
    true_in: u64,
    true_out: u64,
}

fn default_video() -> PathBuf {
    "video.mp4".into()
}

impl Scene {
    /// Reads `dir/scene.json`. Other keys are ignored.
    ///
    /// # Errors
    /// When the file is missing, is no JSON of this form, or names a size or rate that cannot be.
    pub fn read(dir: &Path) -> Result<Self, EvalError> {
        let path = dir.join("scene.json");
        let text = std::fs::read_to_string(&path).map_err(|error| EvalError::file(&path, &error))?;
        let content = |problem| EvalError::Content { path: path.display().to_string(), problem };
        let file: File = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
        let possible = file.fps.is_finite() && file.fps > 0.0 && file.width > 0 && file.height > 0;
        if !possible {
            return Err(content("'fps', 'width' and 'height' must be above 0".into()));
        }
        let lines = file.lines.into_iter().map(|line| SceneLine {
            config: LineConfig { name: line.name, a: line.a, b: line.b, anchor: line.anchor },
            true_in: line.true_in,
            true_out: line.true_out,
        });
        Ok(Self {
            name: file.name,
            clip: Clip { fps: file.fps, size: (file.width, file.height) },
            frames: file.frames,
            video: dir.join(file.video),
            lines: lines.collect(),
            truth: file.gt.map(|gt| dir.join(gt)).filter(|gt| gt.exists()),
        })
    }
}

/// The scene's video as a source with its lines.
pub fn source_config(scene: &Scene) -> SourceConfig {
    let video = SourceSpec::File(scene.video.clone());
    let mut config = SourceConfig::new(scene.name.as_str(), SourceKind::Video, video);
    config.lines = scene.lines.iter().map(|line| line.config.clone()).collect();
    config
}
