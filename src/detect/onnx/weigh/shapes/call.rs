//! A node that is asked for the shape of its result, and how it answers.

use super::super::{super::read::Node, inferred::Inferred};

/// Why a result's size is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect::onnx) enum Unknown {
    /// There is no such operator here.
    Operator,
    /// It depends on what is computed while the network runs.
    Size,
    /// Inputs or attributes are missing or of the wrong kind.
    Wrong,
}

pub(in crate::detect::onnx) type Answer<T> = Result<T, Unknown>;

/// What a node gives.
pub(in crate::detect::onnx) struct Outcome {
    /// Of each output; the last stands for all that follow.
    pub(in crate::detect::onnx) outputs: Vec<Inferred>,
    /// Multiplications beside one for each value of the outputs.
    pub(in crate::detect::onnx) work: u64,
    /// Bytes needed for a moment.
    pub(in crate::detect::onnx) buffer: u64,
}

impl From<Inferred> for Outcome {
    fn from(output: Inferred) -> Self {
        Self { outputs: vec![output], work: 0, buffer: 0 }
    }
}

/// A node with what is known of its inputs.
pub(in crate::detect::onnx) struct Call<'a> {
    pub(in crate::detect::onnx) node: &'a Node<'a>,
    pub(in crate::detect::onnx) inputs: &'a [Option<&'a Inferred>],
}

impl<'a> Call<'a> {
    /// An input that must be there.
    pub(in crate::detect::onnx) fn input(&self, index: usize) -> Answer<&'a Inferred> {
        self.inputs.get(index).copied().flatten().ok_or(Unknown::Wrong)
    }

    pub(in crate::detect::onnx) fn dims(&self, index: usize) -> Answer<&'a [u64]> {
        self.input(index)?.dims.as_deref().ok_or(Unknown::Size)
    }

    /// The values of an input; `None` where it is not given.
    pub(in crate::detect::onnx) fn values(&self, index: usize) -> Answer<Option<&'a [f64]>> {
        match self.inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(known) => known.values.as_deref().map(Some).ok_or(Unknown::Size),
        }
    }

    /// Numbers that older versions have as an attribute and newer ones as an input.
    pub(in crate::detect::onnx) fn either(&self, name: &str, index: usize) -> Answer<Option<&'a [f64]>> {
        match self.node.numbers(name) {
            Some(numbers) => Ok(Some(numbers)),
            None => self.values(index),
        }
    }
}

/// A dimension out of a number, which must not be negative.
pub(in crate::detect::onnx) fn dim(value: f64) -> Answer<u64> {
    if (0.0..9e15).contains(&value) { Ok(value as u64) } else { Err(Unknown::Wrong) }
}

/// An axis, counted from the end where it is negative.
pub(in crate::detect::onnx) fn axis(value: f64, rank: usize) -> Answer<usize> {
    let value = if value < 0.0 { value + rank as f64 } else { value };
    if (0.0..rank as f64).contains(&value) { Ok(value as usize) } else { Err(Unknown::Wrong) }
}
