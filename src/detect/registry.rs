//! The models this program knows by name: what they are, where they come from, and whether a file is whole.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{
    config::{ModelFolders, ModelFormat},
    trust::{self, Owner, installed::Installed},
};

mod commands;

pub use commands::{fetch, list, verify};

/// A file whose content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// Name in the folder of models.
    pub name: &'static str,
    /// Size in bytes, where it is known.
    pub size: Option<u64>,
    /// Digest of its content, where it is known.
    pub digest: Option<Digest>,
}

/// A digest in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256(&'static str),
    /// SHA-1, for old files known by nothing better.
    Sha1(&'static str),
}

impl Digest {
    /// Such as `SHA-256`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Sha1(_) => "SHA-1",
        }
    }

    /// The digest expected.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        match self {
            Self::Sha256(hex) | Self::Sha1(hex) => hex,
        }
    }

    /// The same kind of digest of `bytes`.
    #[must_use]
    pub fn of(&self, bytes: &[u8]) -> String {
        let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha256(_) => hex(&Sha256::digest(bytes)),
            Self::Sha1(_) => hex(&Sha1::digest(bytes)),
        }
    }
}

/// A detection model known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownModel {
    /// Name on the command line: the file's without its ending.
    pub name: &'static str,
    /// Layout of input and output.
    pub format: ModelFormat,
    /// Weights.
    pub weights: KnownFile,
    /// Network description; Caffe only.
    pub prototxt: Option<KnownFile>,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Address of the weights in their original form.
    pub upstream: &'static str,
    /// Licence of the weights.
    pub licence: &'static str,
}

/// All known models, the one to prefer first.
pub const KNOWN_MODELS: &[KnownModel] = &[
    KnownModel {
        name: "rtmdet_nano_person",
        format: ModelFormat::Rtmdet,
        weights: KnownFile {
            name: "rtmdet_nano_person.onnx",
            size: Some(3_988_974),
            digest: Some(Digest::Sha256("7214da9dc4f790641789b7b445d8d31934842356758ed8e9390ef3a4ef952a41")),
        },
        prototxt: None,
        about: "RTMDet-nano, one class, trained on COCO and Objects365",
        upstream: RTMDET,
        licence: APACHE,
    },
    KnownModel {
        name: "rtmdet_nano_person_dyn",
        format: ModelFormat::Rtmdet,
        weights: KnownFile {
            name: "rtmdet_nano_person_dyn.onnx",
            size: Some(3_988_999),
            digest: Some(Digest::Sha256("7e93295442463628d2d2a6e1045151cfc30470a1139c70a169c5de6a10a8e41d")),
        },
        prototxt: None,
        about: "the same with an open input size",
        upstream: RTMDET,
        licence: APACHE,
    },
    KnownModel {
        name: "yolox_nano_person",
        format: ModelFormat::Yolox,
        weights: KnownFile {
            name: "yolox_nano_person.onnx",
            size: Some(3_599_649),
            digest: Some(Digest::Sha256("d9f03c5257026112bef6b436cc8d6ef12bbd1b1c8b78faae800e58890b62aad0")),
        },
        prototxt: None,
        about: "YOLOX-nano, one class, trained on COCO",
        upstream: YOLOX,
        licence: APACHE,
    },
    KnownModel {
        name: "yolox_nano_person_dyn",
        format: ModelFormat::Yolox,
        weights: KnownFile {
            name: "yolox_nano_person_dyn.onnx",
            size: Some(3_599_674),
            digest: Some(Digest::Sha256("891066c138579dc42763170cc0369c2c8141b2e55d8d6b36e4c1af1ecca59053")),
        },
        prototxt: None,
        about: "the same with an open input size",
        upstream: YOLOX,
        licence: APACHE,
    },
    KnownModel {
        name: "person_detection_0200",
        format: ModelFormat::SsdPrior,
        weights: KnownFile {
            name: "person_detection_0200.onnx",
            size: Some(7_283_046),
            digest: Some(Digest::Sha256("d3617d5fe1af00248481074bcd8ca2b0d561f62f2aa289903b11c379d510a507")),
        },
        prototxt: None,
        about: "person-detection-0200, SSD on MobileNetV2",
        upstream: OPEN_MODEL_ZOO,
        licence: APACHE,
    },
    KnownModel {
        name: "person_ssd_dropin",
        format: ModelFormat::CaffeSsd,
        weights: KnownFile {
            name: "person_ssd_dropin.caffemodel",
            size: Some(3_713_604),
            digest: Some(Digest::Sha256("716228b2cf167c0a3399314c5fa91198d4a159d66da1d47e700fc6ed61f7c176")),
        },
        prototxt: Some(KnownFile {
            name: "person_ssd_dropin.prototxt",
            size: Some(15_657),
            digest: Some(Digest::Sha256("e49e4445cb31051bf66c05b043edabab53eef5f5b1a9d0baa723b08e025c540b")),
        }),
        about: "person-detection-0200 in the form of MobileNet-SSD",
        upstream: OPEN_MODEL_ZOO,
        licence: APACHE,
    },
    KnownModel {
        name: "MobileNetSSD_deploy",
        format: ModelFormat::CaffeSsd,
        weights: KnownFile {
            name: "MobileNetSSD_deploy.caffemodel",
            size: None,
            digest: Some(Digest::Sha1("994d30a8afaa9e754d17d2373b2d62a7dfbaaf7a")),
        },
        prototxt: Some(KnownFile { name: "MobileNetSSD_deploy.prototxt", size: None, digest: None }),
        about: "MobileNet-SSD, the original people counter's",
        upstream: "https://github.com/chuanqi305/MobileNet-SSD",
        licence: "MIT",
    },
];

const RTMDET: &str = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/\
                      rtmdet_nano_8xb32-100e_coco-obj365-person-05d8511e.zip";
const YOLOX: &str =
    "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx";
const OPEN_MODEL_ZOO: &str = "https://github.com/openvinotoolkit/open_model_zoo (release 2023.0)";
const APACHE: &str = "Apache-2.0";

/// The known file of this name, if there is one.
pub(super) fn known_file(name: &str) -> Option<&'static KnownFile> {
    KNOWN_MODELS
        .iter()
        .flat_map(|m| [Some(&m.weights), m.prototxt.as_ref()])
        .flatten()
        .find(|f| f.name == name)
}

/// The folders in which models are searched, in order, and which users those and the models may belong to.
pub(super) fn folders(models: &ModelFolders) -> (Vec<PathBuf>, Owner) {
    match models {
        ModelFolders::Named(folder) => (vec![folder.clone()], Owner::Anybody),
        ModelFolders::Usual(beside) => {
            (beside.iter().cloned().chain(Installed::of_this_process().models()).collect(), Owner::Ours)
        }
    }
}

/// Known models that are there and are refused for what others may do to them, a sentence each.
pub(super) fn refused(models: &ModelFolders) -> Vec<String> {
    let (folders, owner) = folders(models);
    let files =
        KNOWN_MODELS.iter().flat_map(|model| [Some(&model.weights), model.prototxt.as_ref()]).flatten();
    let paths = files.flat_map(|file| folders.iter().map(|folder| folder.join(file.name)));
    paths
        .filter_map(|path| match trust::open(&std::path::absolute(&path).ok()?, owner) {
            Err(problem @ trust::Problem::Refused(_)) => Some((path, problem)),
            _ => None,
        })
        .filter(|(path, _)| path.exists())
        .map(|(path, problem)| format!("model '{}' {problem}", trust::shown(&path)))
        .collect()
}

/// What a model file holds.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// Whether that is what a file of its name is known to hold.
    pub(super) known: bool,
}

/// Reads a model file, and checks it when its name is a known one. `owner` says which users it may belong to.
///
/// # Errors
/// One sentence that says what is wrong and, for known names, what was expected and found.
pub(super) fn read(path: &Path, owner: Owner) -> Result<Content, String> {
    let known = path.file_name().and_then(|name| name.to_str()).and_then(known_file);
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let path = std::path::absolute(path).map_err(unreadable)?;
    let file = trust::open(&path, owner).map_err(|problem| problem.to_string())?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size == 0 {
        return Err("is empty".into());
    }
    if size > MAX_SIZE {
        return Err(format!("is {size} bytes large, but at most {MAX_SIZE} are read"));
    }
    if let Some(expected) = known.and_then(|known| known.size).filter(|expected| *expected != size) {
        let what = if size < expected { "is cut off" } else { "is another file" };
        return Err(format!("{what}: expected {expected} bytes, found {size}"));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(MAX_SIZE).read_to_end(&mut bytes).map_err(unreadable)?;
    if let Some(what) = looks_like(&bytes) {
        return Err(format!("is {what}, not a model"));
    }
    if let Some(digest) = known.and_then(|known| known.digest) {
        let found = digest.of(&bytes);
        if found != digest.expected() {
            return Err(format!(
                "is damaged or another file: expected {} {}, found {found}; a model of your own needs another \
                 name",
                digest.algorithm(),
                digest.expected()
            ));
        }
    }
    Ok(Content { bytes, known: known.is_some_and(|known| known.digest.is_some()) })
}

/// What people hand over by mistake, known by its first bytes.
fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start();
    let starts = |with: &[u8]| start.get(..with.len()).is_some_and(|b| b.eq_ignore_ascii_case(with));
    if starts(b"<!doctype html") || starts(b"<html") {
        Some("a web page")
    } else if starts(b"version https://git-lfs") {
        Some("a Git LFS pointer")
    } else if starts(b"PK\x03\x04") {
        Some("a ZIP archive (unpack it, or export a PyTorch checkpoint to ONNX)")
    } else if starts(b"<?xml") {
        Some("an XML file")
    } else if bytes.iter().all(|b| *b == 0) {
        Some("a run of zeros")
    } else {
        None
    }
}

/// Larger files are no models for this program; a wrong path must not fill the memory.
const MAX_SIZE: u64 = 256 << 20;
