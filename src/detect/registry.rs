//! The models this program knows by name: what they are, where they come from, and whether a file is whole.

use std::{fmt::Write, path::Path};

use sha2::{Digest, Sha256};

use crate::config::ModelFormat;

/// A file whose content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// Name in the folder of models.
    pub name: &'static str,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: &'static str,
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
            size: 3_988_974,
            sha256: "7214da9dc4f790641789b7b445d8d31934842356758ed8e9390ef3a4ef952a41",
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
            size: 3_988_999,
            sha256: "7e93295442463628d2d2a6e1045151cfc30470a1139c70a169c5de6a10a8e41d",
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
            size: 3_599_649,
            sha256: "d9f03c5257026112bef6b436cc8d6ef12bbd1b1c8b78faae800e58890b62aad0",
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
            size: 3_599_674,
            sha256: "891066c138579dc42763170cc0369c2c8141b2e55d8d6b36e4c1af1ecca59053",
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
            size: 7_283_046,
            sha256: "d3617d5fe1af00248481074bcd8ca2b0d561f62f2aa289903b11c379d510a507",
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
            size: 3_713_604,
            sha256: "716228b2cf167c0a3399314c5fa91198d4a159d66da1d47e700fc6ed61f7c176",
        },
        prototxt: Some(KnownFile {
            name: "person_ssd_dropin.prototxt",
            size: 15_657,
            sha256: "e49e4445cb31051bf66c05b043edabab53eef5f5b1a9d0baa723b08e025c540b",
        }),
        about: "person-detection-0200 in the form of MobileNet-SSD",
        upstream: OPEN_MODEL_ZOO,
        licence: APACHE,
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

/// Lower-case hexadecimal SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads a model file, and checks it when its name is a known one.
///
/// # Errors
/// One sentence that says what is wrong and, for known names, what was expected and found.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let known = path.file_name().and_then(|name| name.to_str()).and_then(known_file);
    let size = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("does not exist".into()),
        Err(error) => return Err(format!("cannot be read: {error}")),
        Ok(meta) if meta.is_dir() => return Err("is a folder, but a file is needed".into()),
        Ok(meta) => meta.len(),
    };
    if size == 0 {
        return Err("is empty".into());
    }
    if size > MAX_SIZE {
        return Err(format!("is {size} bytes large, but at most {MAX_SIZE} are read"));
    }
    if let Some(known) = known.filter(|known| known.size != size) {
        let what = if size < known.size { "is cut off" } else { "is another file" };
        return Err(format!("{what}: expected {} bytes, found {size}", known.size));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    if let Some(known) = known {
        let found = sha256(&bytes);
        if found != known.sha256 {
            return Err(format!(
                "is damaged or another file: expected SHA-256 {}, found {found}; give a model of your own \
                 another name",
                known.sha256
            ));
        }
    }
    Ok(bytes)
}

/// Larger files are no models for this program; a wrong path must not fill the memory.
const MAX_SIZE: u64 = 512 << 20;
