//! What is known of a tensor without running the network.

use super::super::{
    proto::{Problem, element_size},
    read::Tensor,
};

/// Most dimensions of a tensor.
pub(in crate::detect::onnx) const MOST_DIMS: usize = 16;

/// Most values of a tensor that are followed: shapes are short.
pub(in crate::detect::onnx) const MOST_VALUES: u64 = 4096;

// TensorProto.DataType
pub(in crate::detect::onnx) const FLOAT: u64 = 1;
pub(in crate::detect::onnx) const BOOL: u64 = 9;
pub(in crate::detect::onnx) const INT64: u64 = 7;

/// What is known of the result of a node.
#[derive(Debug, Clone)]
pub(in crate::detect::onnx) struct Inferred {
    /// Its shape, where it can be told.
    pub(in crate::detect::onnx) dims: Option<Vec<u64>>,
    /// How many values it has, at most.
    pub(in crate::detect::onnx) count: u64,
    /// Its type of element, `TensorProto.DataType`.
    pub(in crate::detect::onnx) element: u64,
    /// Its values, where they can be told and are few.
    pub(in crate::detect::onnx) values: Option<Vec<f64>>,
    /// Whether it is the same in every run, so that engines compute it once and keep it.
    pub(in crate::detect::onnx) constant: bool,
}

impl Inferred {
    pub(in crate::detect::onnx) fn of_shape(dims: Vec<u64>, element: u64) -> Self {
        let count = product(&dims);
        Self { dims: Some(dims), count, element, values: None, constant: false }
    }

    /// Of unknown shape with at most `count` values.
    pub(in crate::detect::onnx) fn at_most(count: u64, element: u64) -> Self {
        Self { dims: None, count, element, values: None, constant: false }
    }

    pub(in crate::detect::onnx) fn with_values(self, values: Option<Vec<f64>>) -> Self {
        let values = values.filter(|values| values.len() as u64 == self.count && self.count <= MOST_VALUES);
        Self { values, ..self }
    }

    pub(in crate::detect::onnx) fn bytes(&self) -> u64 {
        self.count.saturating_mul(element_size(self.element).unwrap_or(8))
    }

    pub(in crate::detect::onnx) fn is_integer(&self) -> bool {
        matches!(self.element, 2..=7 | 12 | 13)
    }
}

/// A number of values that cannot overflow.
pub(in crate::detect::onnx) fn product(dims: &[u64]) -> u64 {
    dims.iter().fold(1, |product: u64, dim| product.saturating_mul(*dim))
}

pub(in crate::detect::onnx) fn of_tensor(tensor: &Tensor<'_>) -> Result<Inferred, Problem> {
    if tensor.dims.len() > MOST_DIMS {
        return Err(format!("tensor '{}' has {} dimensions", tensor.name, tensor.dims.len()));
    }
    let known = Inferred::of_shape(tensor.dims.clone(), tensor.element);
    let values = (known.count <= MOST_VALUES).then(|| tensor.values()).flatten();
    Ok(Inferred { constant: true, ..known.with_values(values) })
}
