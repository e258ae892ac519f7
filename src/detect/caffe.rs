//! Just enough of Caffe's file formats to know a pair of files from something else.

use super::onnx::wire::{Fields, Value};

// NetParameter in caffe.proto: layers now, and before 2014.
const NET_LAYER: u64 = 100;
const NET_OLD_LAYER: u64 = 2;

/// Checks a network description.
///
/// # Errors
/// A part of a sentence that says what is wrong.
pub(super) fn inspect_prototxt(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or("is no network description: it is not text (are the two files swapped?)")?;
    if !text.contains("layer") {
        return Err("is no network description: it has no layer".into());
    }
    if !text.contains("DetectionOutput") {
        return Err("has no layer of type 'DetectionOutput', as SSD networks have".into());
    }
    Ok(())
}

/// Checks that the weights are a whole message with layers.
///
/// # Errors
/// A part of a sentence that says what is wrong.
pub(super) fn inspect_weights(bytes: &[u8]) -> Result<(), String> {
    let mut layers = 0;
    for field in Fields::new(bytes) {
        let field = field.map_err(|error| format!("holds no whole Caffe weights: {error}"))?;
        if let (NET_LAYER | NET_OLD_LAYER, Value::Bytes(layer)) = (field.number, field.value) {
            layers += 1;
            for part in Fields::new(layer) {
                part.map_err(|error| format!("holds damaged Caffe weights: {error}"))?;
            }
        }
    }
    if layers == 0 { Err("holds no Caffe weights: there is no layer in it".into()) } else { Ok(()) }
}
