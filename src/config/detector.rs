//! Which detector is used, and how it is named in the file and on the command line.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{self, word};

/// Which detector a source uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DetectorChoice {
    /// The configured or found model, else the embedded one, else motion.
    #[default]
    Auto,
    /// The embedded model.
    Builtin(BuiltinConfig),
    /// Background subtraction; needs no file.
    Motion,
    /// A model file.
    Model(ModelConfig),
}

impl DetectorChoice {
    /// Network input (width, height) in pixels, where it is configured.
    #[must_use]
    pub(crate) fn input(&self) -> Option<(u32, u32)> {
        match self {
            Self::Builtin(builtin) => builtin.input,
            Self::Model(model) => model.input,
            Self::Auto | Self::Motion => None,
        }
    }
}

/// How to run the embedded model.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BuiltinConfig {
    /// The picture is fitted into this (width, height) in pixels; `None` chooses by the source.
    pub input: Option<(u32, u32)>,
    /// Score from which a detection is high-confidence, 0..=1; `None` takes the model's default.
    pub confidence: Option<f32>,
    /// What runs it; `Auto` is what the program's `engine` says.
    pub engine: EngineChoice,
}

/// A model file and how to run it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelConfig {
    /// How input and output are laid out.
    pub format: ModelFormat,
    /// Weights.
    pub model: PathBuf,
    /// Network description; Caffe only.
    pub prototxt: Option<PathBuf>,
    /// Network input (width, height) in pixels; `None` chooses by the source.
    pub input: Option<(u32, u32)>,
    /// Score from which a detection is high-confidence, 0..=1; `None` takes the format's default.
    pub confidence: Option<f32>,
    /// What runs it.
    pub engine: EngineChoice,
}

/// Layouts of detection networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModelFormat {
    /// This project's own network (`models/train`).
    Pcount,
    /// RTMDet without its decoding.
    Rtmdet,
    /// YOLOX without its decoding.
    Yolox,
    /// SSD head with priors (person-detection-0200).
    SsdPrior,
    /// MobileNet-SSD in Caffe, as the original uses it.
    CaffeSsd,
}

/// What runs a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EngineChoice {
    /// ONNX Runtime where its library is found, else OpenCV.
    #[default]
    Auto,
    /// ONNX Runtime.
    OnnxRuntime,
    /// OpenCV's `dnn`.
    OpenCv,
}

impl ModelFormat {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("pcount", Self::Pcount),
        ("rtmdet", Self::Rtmdet),
        ("yolox", Self::Yolox),
        ("ssd-prior", Self::SsdPrior),
        ("caffe-ssd", Self::CaffeSsd),
    ];
}

impl EngineChoice {
    /// The words of the configuration.
    pub const NAMES: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("onnxruntime", Self::OnnxRuntime), ("opencv", Self::OpenCv)];

    /// Reads the command line's form, one of [`Self::NAMES`].
    ///
    /// # Errors
    /// One sentence that names the words known.
    pub(crate) fn parse_cli(text: &str) -> Result<Self, String> {
        word(text, &Self::NAMES, "engine")
    }
}

/// Sides of a network's input, in pixels.
pub(super) const INPUT_SIDES: std::ops::RangeInclusive<u32> = 32..=2048;

/// Sides of most networks' inputs are multiples of this.
pub(super) const INPUT_STEP: u32 = 32;

/// Reads `WIDTHxHEIGHT`.
fn input_size(written: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| {
        text.parse().ok().filter(|side: &u32| INPUT_SIDES.contains(side) && side.is_multiple_of(INPUT_STEP))
    };
    let sides = written.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    sides.ok_or_else(|| {
        format!(
            "'{written}' is no size of the embedded model's input; write WIDTHxHEIGHT in multiples of {INPUT_STEP} from {} to {}, such as builtin:640x384",
            INPUT_SIDES.start(),
            INPUT_SIDES.end()
        )
    })
}

impl DetectorChoice {
    /// Runs the network with `engine`, where there is one.
    pub(crate) fn set_engine(&mut self, engine: EngineChoice) {
        match self {
            Self::Model(model) => model.engine = engine,
            Self::Builtin(model) => model.engine = engine,
            Self::Auto | Self::Motion => {}
        }
    }

    /// Reads the command line's form: `auto`, `builtin`, `builtin:WIDTHxHEIGHT`, `motion`, `FORMAT:MODEL` or
    /// `caffe-ssd:PROTOTXT,CAFFEMODEL`, with paths relative to the current folder.
    ///
    /// # Errors
    /// One sentence that names the mistake and the forms known.
    pub(crate) fn parse_cli(written: &str) -> Result<Self, String> {
        const NAMES: [&str; 3] = ["auto", "builtin", "motion"];
        match written {
            "auto" => return Ok(Self::Auto),
            "builtin" => return Ok(Self::Builtin(BuiltinConfig::default())),
            "motion" => return Ok(Self::Motion),
            _ => {}
        }
        let Some((format, files)) = written.split_once(':') else {
            return Err(if Path::new(written).extension().is_some() {
                format!("'{written}' lacks its format; write rtmdet:{written} or yolox:{written}")
            } else {
                format!(
                    "there is no detector '{written}', and a model file is written FORMAT:PATH{}",
                    text::instead(written, &NAMES)
                )
            });
        };
        if format == "builtin" {
            let input = Some(input_size(files)?);
            return Ok(Self::Builtin(BuiltinConfig { input, ..BuiltinConfig::default() }));
        }
        let format = word(format, &ModelFormat::NAMES, "model format")?;
        let (prototxt, model) = match (format, files.split_once(',')) {
            (ModelFormat::CaffeSsd, Some((prototxt, model))) => (Some(PathBuf::from(prototxt)), model),
            (ModelFormat::CaffeSsd, None) => {
                return Err(format!("'{written}' names one file; write caffe-ssd:PROTOTXT,CAFFEMODEL"));
            }
            (_, _) => (None, files),
        };
        if model.is_empty() || prototxt.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err(format!("'{written}' names no file after the format"));
        }
        Ok(Self::Model(ModelConfig {
            format,
            model: model.into(),
            prototxt,
            input: None,
            confidence: None,
            engine: EngineChoice::default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_command_line() {
        assert_eq!(DetectorChoice::parse_cli("motion"), Ok(DetectorChoice::Motion));
        let Ok(DetectorChoice::Builtin(sized)) = DetectorChoice::parse_cli("builtin:640x384") else {
            panic!()
        };
        assert_eq!(sized.input, Some((640, 384)));
        let Ok(DetectorChoice::Model(model)) = DetectorChoice::parse_cli("caffe-ssd:a.prototxt,b.caffemodel")
        else {
            panic!()
        };
        assert_eq!(model.format, ModelFormat::CaffeSsd);
        assert_eq!(model.prototxt.as_deref(), Some(Path::new("a.prototxt")));
        assert_eq!(model.model, Path::new("b.caffemodel"));
    }

    #[test]
    fn each_mistake_is_named() {
        for (written, wanted) in [
            ("m.onnx", "'m.onnx' lacks its format; write rtmdet:m.onnx or yolox:m.onnx"),
            (
                "biultin",
                "there is no detector 'biultin', and a model file is written FORMAT:PATH; did you mean 'builtin'?",
            ),
            ("rtmdt:m.onnx", "there is no model format 'rtmdt'; did you mean 'rtmdet'?"),
            ("caffe-ssd:a", "'caffe-ssd:a' names one file; write caffe-ssd:PROTOTXT,CAFFEMODEL"),
            (
                "builtin:640x400",
                "'640x400' is no size of the embedded model's input; write WIDTHxHEIGHT in multiples of 32 from 32 to 2048, such as builtin:640x384",
            ),
            ("yolox:", "'yolox:' names no file after the format"),
        ] {
            assert_eq!(DetectorChoice::parse_cli(written).unwrap_err(), wanted);
        }
    }
}
