//! Just enough of the ONNX file format to know a whole file from a broken one and to free or fix the size of
//! its input, before native code sees it.
//!
//! A file is a Protocol Buffers message; field numbers are those of `onnx.proto3`. Checked are the nesting
//! and lengths of all messages, that each tensor has as many values as its shape promises, that nodes use
//! only names defined before them, and that there is one float input of 1 x 3 x height x width. [`mod@weigh`] tells
//! what a run would need.

use std::collections::HashSet;

use proto::{
    ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS, ATTRIBUTE_SPARSE, ATTRIBUTE_SPARSES, ATTRIBUTE_TENSOR,
    ATTRIBUTE_TENSORS, DIM_PARAM, DIM_VALUE, FLOAT, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_NODE, GRAPH_OUTPUT,
    GRAPH_SPARSE, GRAPH_VALUE_INFO, MODEL_FUNCTION, MODEL_GRAPH, MODEL_TRAINING, NODE_ATTRIBUTE, NODE_INPUT,
    NODE_OPERATOR, NODE_OUTPUT, Problem, SHAPE_DIM, TENSOR_DIMS, TENSOR_DOUBLES, TENSOR_EXTERNAL,
    TENSOR_FLOATS, TENSOR_INT32S, TENSOR_INT64S, TENSOR_LOCATION, TENSOR_NAME, TENSOR_RAW, TENSOR_TYPE,
    TENSOR_TYPE_ELEMENT, TENSOR_TYPE_SHAPE, TENSOR_UINT64S, TYPE_TENSOR, UINT8, VALUE_NAME, VALUE_TYPE,
    element_size, text,
};
use read::{Node, Tensor};
pub(super) use resize::with_size;
use wire::{Fields, Value, WireField};

mod proto;
mod read;
mod resize;
mod weigh;
pub(super) mod wire;

/// What is known of a network before it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    /// Name of the frame's input.
    pub(super) input: String,
    /// Declared (width, height) of the input; `None` when either is left open.
    pub(super) size: Option<(u32, u32)>,
    /// Names of the outputs.
    pub(super) outputs: Vec<String>,
}

/// Checks the whole of an ONNX file and says what it takes and gives.
///
/// # Errors
/// A part of a sentence that says what is broken or missing.
pub(super) fn inspect(bytes: &[u8]) -> Result<Summary, Problem> {
    let mut summary = None;
    for field in Fields::new(bytes) {
        let field = field.map_err(|e| format!("is no whole ONNX model: {e}"))?;
        if matches!(field.number, MODEL_TRAINING | MODEL_FUNCTION) {
            let what = "it has functions or training of its own, which detectors have no use for";
            return Err(format!("is no usable ONNX model: {what}"));
        }
        if let (MODEL_GRAPH, Value::Bytes(graph)) = (field.number, field.value) {
            if summary.is_some() {
                return Err("is no ONNX model: it has two graphs".into());
            }
            summary =
                Some(inspect_graph(graph).map_err(|problem| format!("is no usable ONNX model: {problem}"))?);
        }
    }
    summary.ok_or_else(|| "is no ONNX model: it has no graph".into())
}

fn inspect_graph(graph: &[u8]) -> Result<Summary, Problem> {
    let mut names = HashSet::new();
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for field in Fields::new(graph) {
        let field = field?;
        match (field.number, field.value) {
            (GRAPH_INITIALIZER, Value::Bytes(tensor)) => {
                let name = check_tensor(tensor)?;
                if !names.insert(name) {
                    return Err(format!("'{name}' is defined twice"));
                }
            }
            (GRAPH_INPUT, Value::Bytes(info)) => inputs.push(value_info(info)?),
            (GRAPH_OUTPUT, Value::Bytes(info)) => outputs.push(declared(info)?.name),
            (GRAPH_VALUE_INFO, Value::Bytes(info)) => {
                declared(info)?;
            }
            (GRAPH_SPARSE, _) => return Err("it has sparse weights; export it with dense weights".into()),
            _ => {}
        }
    }
    // Old exporters list the weights among the inputs.
    inputs.retain(|input| !names.contains(input.name));
    let [input] = inputs.as_slice() else {
        return Err(format!("it has {} inputs, but a detector has one image", inputs.len()));
    };
    names.insert(input.name);
    check_nodes(graph, &mut names)?;
    if outputs.is_empty() {
        return Err("it has no output".into());
    }
    if let Some(output) = outputs.iter().find(|name| !names.contains(*name)) {
        return Err(format!("nothing computes its output '{output}'"));
    }
    let size = picture_size(input)?;
    Ok(Summary {
        input: input.name.to_owned(),
        size,
        outputs: outputs.into_iter().map(str::to_owned).collect(),
    })
}

/// The declared (width, height) of an input that must be a frame.
fn picture_size(input: &Info<'_>) -> Result<Option<(u32, u32)>, Problem> {
    let side = |dim: Option<u64>| dim.map(|d| u32::try_from(d).unwrap_or(u32::MAX));
    match input.dims.as_slice() {
        [_, _, _, Some(WINDOW)] if input.element == UINT8 => Err(
            "it is the embedded model in eight bits, which is no file of its own: use the detector 'builtin'"
                .into(),
        ),
        _ if input.element != FLOAT => Err(format!(
            "its input '{}' is not of 32-bit floats; export it with an input of floats",
            input.name
        )),
        [Some(1) | None, Some(3) | None, height, width] => match (side(*width), side(*height)) {
            (Some(w), Some(h)) if (1..=MOST_SIDE).contains(&w) && (1..=MOST_SIDE).contains(&h) => {
                Ok(Some((w, h)))
            }
            (Some(w), Some(h)) => Err(format!(
                "its input is {w}x{h} pixels large, but at most {MOST_SIDE}x{MOST_SIDE} are taken"
            )),
            _ => Ok(None),
        },
        dims => {
            let dims: Vec<_> =
                dims.iter().map(|d| d.map_or_else(|| "?".to_owned(), |d| d.to_string())).collect();
            Err(format!("its input is [{}], but a detector takes [1, 3, height, width]", dims.join(", ")))
        }
    }
}

/// Bytes of a window that the embedded model in eight bits takes.
const WINDOW: u64 = super::preprocess::WINDOW as u64;

/// Longest side of a network's input, in pixels.
const MOST_SIDE: u32 = 2048;

/// A value with the shape that the file says it has.
fn declared(bytes: &[u8]) -> Result<Info<'_>, Problem> {
    let info = value_info(bytes)?;
    // Some exporters write -1 for what is open.
    let dims = info.dims.iter().flatten().filter(|dim| !dim.cast_signed().is_negative());
    let values = dims.fold(1, |product: u64, dim| product.saturating_mul(*dim));
    if values > weigh::MOST_BYTES {
        return Err(format!("it says that '{}' has {values} values or more", info.name));
    }
    Ok(info)
}

struct Info<'a> {
    name: &'a str,
    element: u64,
    dims: Vec<Option<u64>>,
}

fn value_info(bytes: &[u8]) -> Result<Info<'_>, Problem> {
    let mut info = Info { name: "", element: 0, dims: Vec::new() };
    for field in Fields::new(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (VALUE_NAME, Value::Bytes(name)) => info.name = text(name)?,
            (VALUE_TYPE, Value::Bytes(of)) => tensor_type(of, &mut info)?,
            _ => {}
        }
    }
    Ok(info)
}

fn tensor_type(bytes: &[u8], info: &mut Info<'_>) -> Result<(), Problem> {
    for field in Fields::new(bytes) {
        let (TYPE_TENSOR, Value::Bytes(tensor)) = field.map(|f| (f.number, f.value))? else { continue };
        for field in Fields::new(tensor) {
            let field = field?;
            match (field.number, field.value) {
                (TENSOR_TYPE_ELEMENT, Value::Number(element)) => info.element = element,
                (TENSOR_TYPE_SHAPE, Value::Bytes(shape)) => {
                    for field in Fields::new(shape) {
                        if let (SHAPE_DIM, Value::Bytes(dim)) = field.map(|f| (f.number, f.value))? {
                            info.dims.push(fixed_dim(dim)?);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn fixed_dim(bytes: &[u8]) -> Result<Option<u64>, Problem> {
    let mut dim = None;
    for field in Fields::new(bytes) {
        match field.map(|f| (f.number, f.value))? {
            (DIM_VALUE, Value::Number(value)) => dim = Some(value),
            (DIM_PARAM, Value::Bytes(_)) => dim = None,
            _ => {}
        }
    }
    Ok(dim)
}

/// Checks that each node reads what was computed before it, and the tensors among its attributes.
fn check_nodes<'a>(graph: &'a [u8], names: &mut HashSet<&'a str>) -> Result<(), Problem> {
    for field in Fields::new(graph) {
        let (GRAPH_NODE, Value::Bytes(node)) = field.map(|f| (f.number, f.value))? else { continue };
        let mut outputs = Vec::new();
        let mut operator = "";
        for field in Fields::new(node) {
            match field.map(|f| (f.number, f.value))? {
                (NODE_INPUT, Value::Bytes(input)) => {
                    let input = text(input)?;
                    if !input.is_empty() && !names.contains(input) {
                        return Err(format!("a node reads '{input}', which nothing computes"));
                    }
                }
                (NODE_OUTPUT, Value::Bytes(output)) => outputs.push(text(output)?),
                (NODE_OPERATOR, Value::Bytes(name)) => operator = text(name)?,
                (NODE_ATTRIBUTE, Value::Bytes(attribute)) => check_attribute(attribute)?,
                _ => {}
            }
        }
        if operator.is_empty() || !operator.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err("a node has no operator".into());
        }
        for output in outputs {
            if !output.is_empty() && !names.insert(output) {
                return Err(format!("'{output}' is computed twice"));
            }
        }
    }
    Ok(())
}

fn check_attribute(bytes: &[u8]) -> Result<(), Problem> {
    for field in Fields::new(bytes) {
        match field.map(|f| (f.number, f.value))? {
            (ATTRIBUTE_TENSOR | ATTRIBUTE_TENSORS, Value::Bytes(tensor)) => {
                check_tensor(tensor)?;
            }
            (ATTRIBUTE_GRAPH | ATTRIBUTE_GRAPHS, Value::Bytes(_)) => {
                return Err("it has control flow, which detectors have no use for".into());
            }
            (ATTRIBUTE_SPARSE | ATTRIBUTE_SPARSES, _) => {
                return Err("it has sparse values; export it with dense weights".into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Tensors have fewer dimensions.
const MOST_DIMS: usize = 32;

/// Checks that a tensor holds as many values as its shape says, and gives its name.
fn check_tensor(bytes: &[u8]) -> Result<&str, Problem> {
    let mut name = "";
    let mut dims: Vec<u64> = Vec::new();
    let (mut element, mut raw) = (0, None);
    let mut listed = 0;
    for field in Fields::new(bytes) {
        let WireField { number, value } = field?;
        match (number, value) {
            (TENSOR_NAME, Value::Bytes(text_bytes)) => name = text(text_bytes)?,
            (TENSOR_TYPE, Value::Number(code)) => element = code,
            (TENSOR_RAW, Value::Bytes(data)) => raw = Some(data.len() as u64),
            (TENSOR_LOCATION, Value::Number(1..)) | (TENSOR_EXTERNAL, _) => {
                return Err("its weights are in another file; export it with the weights inside".into());
            }
            (TENSOR_DIMS, Value::Number(dim)) => dims.push(dim),
            (TENSOR_DIMS, Value::Bytes(packed)) => dims.extend(wire::varints(packed, MOST_DIMS)?),
            (TENSOR_FLOATS, Value::Bytes(packed)) => listed += packed.len() as u64 / 4,
            (TENSOR_DOUBLES, Value::Bytes(packed)) => listed += packed.len() as u64 / 8,
            (TENSOR_INT32S | TENSOR_INT64S | TENSOR_UINT64S, Value::Bytes(packed)) => {
                listed += wire::count_varints(packed)?;
            }
            (TENSOR_FLOATS | TENSOR_DOUBLES | TENSOR_INT32S | TENSOR_INT64S | TENSOR_UINT64S, _) => {
                listed += 1;
            }
            _ => {}
        }
    }
    if dims.len() >= MOST_DIMS {
        return Err(format!("tensor '{name}' has too many dimensions"));
    }
    let values = dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim));
    let Some(size) = element_size(element) else {
        return Err(format!("tensor '{name}' is of an unknown type ({element})"));
    };
    match (values, raw) {
        (Some(values), Some(bytes)) if values.checked_mul(size) == Some(bytes) => Ok(name),
        (Some(values), None) if values == listed => Ok(name),
        _ => Err(format!("tensor '{name}' does not hold the values its shape {dims:?} promises")),
    }
}

/// Checks what a run on a frame of `size` (width, height) needs. `bytes` must have passed [`inspect`].
///
/// # Errors
/// A part of a sentence that says what is too much.
pub(super) fn weigh(bytes: &[u8], size: (u32, u32)) -> Result<(), Problem> {
    let input = inspect(bytes)?.input;
    let (mut weights, mut nodes, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for field in Fields::new(bytes) {
        let (MODEL_GRAPH, Value::Bytes(graph)) = field.map(|f| (f.number, f.value))? else { continue };
        for field in Fields::new(graph) {
            match field.map(|f| (f.number, f.value))? {
                (GRAPH_INITIALIZER, Value::Bytes(tensor)) => weights.push(Tensor::read(tensor)?),
                (GRAPH_NODE, Value::Bytes(node)) => nodes.push(Node::read(node)?),
                (GRAPH_OUTPUT, Value::Bytes(info)) => outputs.push(value_info(info)?.name),
                _ => {}
            }
        }
    }
    weigh::weigh(&input, size, &weights, &nodes, &outputs).map_err(|problem| format!("is refused: {problem}"))
}

#[cfg(test)]
mod tests;
