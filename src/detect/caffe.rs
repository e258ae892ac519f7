//! Just enough of Caffe's file formats to know a pair of files from something else.

use super::onnx::wire::{Fields, Value, varints};

// NetParameter in caffe.proto: layers now, and before 2014.
const NET_LAYER: u64 = 100;
const NET_OLD_LAYER: u64 = 2;
// LayerParameter, V1LayerParameter and BlobProto.
const LAYER_BLOB: u64 = 7;
const OLD_LAYER_BLOB: u64 = 6;
const BLOB_SHAPE: u64 = 7;

/// Checks a network description.
///
/// # Errors
/// A part of a sentence that says what is wrong.
pub(super) fn inspect_prototxt(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or("is no network description: it is not text (are the two files swapped?)")?;
    check_text(text)?;
    if !text.contains("layer") {
        return Err("is no network description: it has no layer".into());
    }
    if !text.contains("DetectionOutput") {
        return Err("has no layer of type 'DetectionOutput', as SSD networks have".into());
    }
    Ok(())
}

/// Deepest nesting of a description, of which networks have four or five.
const MOST_DEPTH: usize = 32;

/// Largest whole number in a description: sizes of frames, counts of filters and boxes.
const MOST_NUMBER: u64 = 100_000;

/// Checks what the parser of the description, which calls itself for each level, and the layers would choke on.
fn check_text(text: &str) -> Result<(), String> {
    let mut depth = 0usize;
    for byte in text.bytes() {
        match byte {
            b'{' | b'<' | b'[' => depth += 1,
            b'}' | b'>' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(format!("is refused: it is nested more than {MOST_DEPTH} levels deep"));
        }
    }
    // Fractions and powers of ten are scales, not sizes.
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_' && c != '+');
    for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())) {
        let is_whole = word.bytes().all(|byte| byte.is_ascii_digit());
        let is_hexadecimal = word.starts_with("0x") || word.starts_with("0X");
        if is_hexadecimal || (is_whole && word.parse::<u64>().is_ok_and(|n| n <= MOST_NUMBER) != is_whole) {
            return Err(format!("is refused: its number {word} is more than {MOST_NUMBER}"));
        }
    }
    Ok(())
}

/// Checks that a blob has as many values as its shape says: memory is taken by the shape.
fn check_blob(bytes: &[u8]) -> Result<(), String> {
    let (mut values, mut old) = (1u64, [None; 5]);
    for field in Fields::new(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (number @ 1..=4, Value::Number(dim)) => old[number as usize] = Some(dim),
            (BLOB_SHAPE, Value::Bytes(shape)) => {
                for part in Fields::new(shape) {
                    let part = part?;
                    let dims = match (part.number, part.value) {
                        (1, Value::Number(dim)) => vec![dim],
                        (1, Value::Bytes(packed)) => varints(packed, 64)?,
                        _ => Vec::new(),
                    };
                    values = dims.iter().fold(values, |all, dim| all.saturating_mul(*dim));
                }
            }
            _ => {}
        }
    }
    let values = old.iter().flatten().fold(values, |all, dim| all.saturating_mul(*dim));
    // Each takes a byte at least.
    if values > bytes.len() as u64 {
        Err(format!("a blob promises {values} values, which it does not hold"))
    } else {
        Ok(())
    }
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
            let blob = if field.number == NET_LAYER { LAYER_BLOB } else { OLD_LAYER_BLOB };
            for part in Fields::new(layer) {
                let checked = part.and_then(|part| match part.value {
                    Value::Bytes(bytes) if part.number == blob => check_blob(bytes),
                    _ => Ok(()),
                });
                checked.map_err(|error| format!("holds damaged Caffe weights: {error}"))?;
            }
        }
    }
    if layers == 0 { Err("holds no Caffe weights: there is no layer in it".into()) } else { Ok(()) }
}
