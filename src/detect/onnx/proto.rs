//! Numbers of fields and types in an ONNX file, as in `onnx.proto3`.

// ModelProto
pub(super) const MODEL_GRAPH: u64 = 7;
pub(super) const MODEL_TRAINING: u64 = 20;
pub(super) const MODEL_FUNCTION: u64 = 25;
// GraphProto
pub(super) const GRAPH_NODE: u64 = 1;
pub(super) const GRAPH_INITIALIZER: u64 = 5;
pub(super) const GRAPH_INPUT: u64 = 11;
pub(super) const GRAPH_OUTPUT: u64 = 12;
pub(super) const GRAPH_VALUE_INFO: u64 = 13;
pub(super) const GRAPH_SPARSE: u64 = 15;
// ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto
pub(super) const VALUE_NAME: u64 = 1;
pub(super) const VALUE_TYPE: u64 = 2;
pub(super) const TYPE_TENSOR: u64 = 1;
pub(super) const TENSOR_TYPE_ELEMENT: u64 = 1;
pub(super) const TENSOR_TYPE_SHAPE: u64 = 2;
pub(super) const SHAPE_DIM: u64 = 1;
pub(super) const DIM_VALUE: u64 = 1;
pub(super) const DIM_PARAM: u64 = 2;
// NodeProto, AttributeProto
pub(super) const NODE_INPUT: u64 = 1;
pub(super) const NODE_OUTPUT: u64 = 2;
pub(super) const NODE_OPERATOR: u64 = 4;
pub(super) const NODE_ATTRIBUTE: u64 = 5;
pub(super) const ATTRIBUTE_TENSOR: u64 = 5;
pub(super) const ATTRIBUTE_GRAPH: u64 = 6;
pub(super) const ATTRIBUTE_TENSORS: u64 = 10;
pub(super) const ATTRIBUTE_GRAPHS: u64 = 11;
pub(super) const ATTRIBUTE_SPARSE: u64 = 22;
pub(super) const ATTRIBUTE_SPARSES: u64 = 23;
// TensorProto
pub(super) const TENSOR_DIMS: u64 = 1;
pub(super) const TENSOR_TYPE: u64 = 2;
pub(super) const TENSOR_FLOATS: u64 = 4;
pub(super) const TENSOR_INT32S: u64 = 5;
pub(super) const TENSOR_INT64S: u64 = 7;
pub(super) const TENSOR_NAME: u64 = 8;
pub(super) const TENSOR_RAW: u64 = 9;
pub(super) const TENSOR_DOUBLES: u64 = 10;
pub(super) const TENSOR_UINT64S: u64 = 11;
pub(super) const TENSOR_EXTERNAL: u64 = 13;
pub(super) const TENSOR_LOCATION: u64 = 14;
/// `TensorProto.DataType.FLOAT`.
pub(super) const FLOAT: u64 = 1;
/// `TensorProto.DataType.UINT8`.
pub(super) const UINT8: u64 = 2;

/// Why a file is no usable network, as the end of the sentence "the file ..".
pub(super) type Problem = String;

/// Bytes of one value in `raw_data`, for the types detectors use.
pub(super) fn element_size(code: u64) -> Option<u64> {
    match code {
        // UINT8, INT8, BOOL
        2 | 3 | 9 => Some(1),
        // UINT16, INT16, FLOAT16, BFLOAT16
        4 | 5 | 10 | 16 => Some(2),
        // FLOAT, INT32, UINT32
        1 | 6 | 12 => Some(4),
        // INT64, DOUBLE, UINT64
        7 | 11 | 13 => Some(8),
        _ => None,
    }
}

/// A name, which messages may quote.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| "a name in it is not text".into())
}
