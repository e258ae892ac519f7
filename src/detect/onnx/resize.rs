//! Freeing or fixing the size of a network's input.

use super::{
    inspect,
    proto::{
        DIM_PARAM, DIM_VALUE, FLOAT, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO, MODEL_GRAPH, Problem,
        SHAPE_DIM, TENSOR_TYPE_ELEMENT, TENSOR_TYPE_SHAPE, TYPE_TENSOR, VALUE_NAME, VALUE_TYPE,
    },
    value_info,
    wire::{self, Value},
};

/// The same network with the frame's height and width left open (`None`) or fixed to (width, height).
///
/// Shapes noted for outputs and intermediate values are left out: they belong to the old size. ONNX Runtime
/// takes other sizes than the declared one only when it is open; OpenCV up to 4.12 loads only fixed ones, but
/// runs any. `bytes` must have passed [`inspect`].
///
/// # Errors
/// When `bytes` is no ONNX file.
pub(in crate::detect) fn with_size(bytes: &[u8], size: Option<(u32, u32)>) -> Result<Vec<u8>, Problem> {
    let input = inspect(bytes)?.input;
    let mut out = Vec::with_capacity(bytes.len() + 64);
    wire::rewrite(bytes, &mut out, &mut |field, out| match (field.number, field.value) {
        (MODEL_GRAPH, Value::Bytes(graph)) => {
            let mut new = Vec::with_capacity(graph.len() + 64);
            rewrite_graph(graph, &input, size, &mut new)?;
            wire::write_bytes(out, MODEL_GRAPH, &new);
            Ok(true)
        }
        _ => Ok(false),
    })?;
    Ok(out)
}

fn rewrite_graph(
    graph: &[u8],
    picture: &str,
    size: Option<(u32, u32)>,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    wire::rewrite(graph, out, &mut |field, out| match (field.number, field.value) {
        (GRAPH_VALUE_INFO, _) => Ok(true),
        (GRAPH_INPUT, Value::Bytes(bytes)) if value_info(bytes)?.name == picture => {
            let side = |value: Option<u32>, symbol: &str| (value, symbol.to_owned());
            let dims = [
                side(Some(1), ""),
                side(Some(3), ""),
                side(size.map(|(_, h)| h), "height"),
                side(size.map(|(w, _)| w), "width"),
            ];
            wire::write_bytes(out, GRAPH_INPUT, &float_info(picture, &dims));
            Ok(true)
        }
        (GRAPH_OUTPUT, Value::Bytes(bytes)) => {
            let info = value_info(bytes)?;
            if info.element == FLOAT {
                // Only the number of dimensions stays true.
                let dims: Vec<_> =
                    (0..info.dims.len()).map(|i| (None, format!("{}_{i}", info.name))).collect();
                wire::write_bytes(out, GRAPH_OUTPUT, &float_info(info.name, &dims));
            }
            Ok(info.element == FLOAT)
        }
        _ => Ok(false),
    })
}

/// A `ValueInfoProto` of floats whose dimensions are fixed or open and named.
pub(super) fn float_info(name: &str, dims: &[(Option<u32>, String)]) -> Vec<u8> {
    let mut shape = Vec::new();
    for (value, symbol) in dims {
        let mut dim = Vec::new();
        match value {
            Some(value) => wire::write_number(&mut dim, DIM_VALUE, u64::from(*value)),
            None => wire::write_bytes(&mut dim, DIM_PARAM, symbol.as_bytes()),
        }
        wire::write_bytes(&mut shape, SHAPE_DIM, &dim);
    }
    let mut tensor = Vec::new();
    wire::write_number(&mut tensor, TENSOR_TYPE_ELEMENT, FLOAT);
    wire::write_bytes(&mut tensor, TENSOR_TYPE_SHAPE, &shape);
    let mut of = Vec::new();
    wire::write_bytes(&mut of, TYPE_TENSOR, &tensor);
    let mut info = Vec::new();
    wire::write_bytes(&mut info, VALUE_NAME, name.as_bytes());
    wire::write_bytes(&mut info, VALUE_TYPE, &of);
    info
}
