//! The shape of each operator's result, as the ONNX specification has it.

use super::{BOOL, FLOAT, INT64, Known, MOST_VALUES, Node, of_tensor, product};

mod conv;
mod select;
mod values;

/// Why a result's size is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// There is no such operator here.
    Operator,
    /// It depends on what is computed while the network runs.
    Size,
    /// Inputs or attributes are missing or of the wrong kind.
    Wrong,
}

type Answer<T> = Result<T, Unknown>;

/// What a node gives.
pub(super) struct Outcome {
    /// Of each output; the last stands for all that follow.
    pub(super) outputs: Vec<Known>,
    /// Multiplications beside one for each value of the outputs.
    pub(super) work: u64,
    /// Bytes needed for a moment.
    pub(super) buffer: u64,
}

impl From<Known> for Outcome {
    fn from(output: Known) -> Self {
        Self { outputs: vec![output], work: 0, buffer: 0 }
    }
}

/// A node with what is known of its inputs.
struct Call<'a> {
    node: &'a Node<'a>,
    inputs: &'a [Option<&'a Known>],
}

impl<'a> Call<'a> {
    /// An input that must be there.
    fn input(&self, index: usize) -> Answer<&'a Known> {
        self.inputs.get(index).copied().flatten().ok_or(Unknown::Wrong)
    }

    fn dims(&self, index: usize) -> Answer<&'a [u64]> {
        self.input(index)?.dims.as_deref().ok_or(Unknown::Size)
    }

    /// The values of an input; `None` where it is not given.
    fn values(&self, index: usize) -> Answer<Option<&'a [f64]>> {
        match self.inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(known) => known.values.as_deref().map(Some).ok_or(Unknown::Size),
        }
    }

    /// Numbers that older versions have as an attribute and newer ones as an input.
    fn either(&self, name: &str, index: usize) -> Answer<Option<&'a [f64]>> {
        match self.node.numbers(name) {
            Some(numbers) => Ok(Some(numbers)),
            None => self.values(index),
        }
    }
}

/// A dimension out of a number, which must not be negative.
fn dim(value: f64) -> Answer<u64> {
    if (0.0..9e15).contains(&value) { Ok(value as u64) } else { Err(Unknown::Wrong) }
}

/// An axis, counted from the end where it is negative.
fn axis(value: f64, rank: usize) -> Answer<usize> {
    let value = if value < 0.0 { value + rank as f64 } else { value };
    if (0.0..rank as f64).contains(&value) { Ok(value as usize) } else { Err(Unknown::Wrong) }
}

/// What `node` gives for `inputs` (`None` for one that is left out).
pub(super) fn of(node: &Node<'_>, inputs: &[Option<&Known>]) -> Answer<Outcome> {
    let call = Call { node, inputs };
    let first = || call.input(0).cloned();
    let as_first = |element: Option<u64>| {
        first().map(|known| {
            let element = element.unwrap_or(known.element);
            Outcome::from(Known { element, values: None, ..known })
        })
    };
    match node.operator {
        "Identity" | "Dropout" => first().map(Outcome::from),
        "Cast" => {
            let element = dim(node.number("to", FLOAT as f64))?;
            values::each(first()?, element, |v| v)
        }
        "Floor" => values::each(first()?, call.input(0)?.element, f64::floor),
        "Ceil" => values::each(first()?, call.input(0)?.element, f64::ceil),
        "Round" => values::each(first()?, call.input(0)?.element, f64::round_ties_even),
        "Neg" => values::each(first()?, call.input(0)?.element, |v| -v),
        "Sqrt" => values::each(first()?, call.input(0)?.element, f64::sqrt),
        "Relu"
        | "LeakyRelu"
        | "Sigmoid"
        | "HardSigmoid"
        | "HardSwish"
        | "Swish"
        | "Clip"
        | "Exp"
        | "Log"
        | "Tanh"
        | "Softplus"
        | "Softsign"
        | "Mish"
        | "Elu"
        | "Selu"
        | "Celu"
        | "ThresholdedRelu"
        | "Abs"
        | "Erf"
        | "Gelu"
        | "QuickGelu"
        | "Reciprocal"
        | "Sign"
        | "Sin"
        | "Cos"
        | "Tan"
        | "Atan"
        | "Asin"
        | "Acos"
        | "Sinh"
        | "Cosh"
        | "Softmax"
        | "LogSoftmax"
        | "Hardmax"
        | "LRN"
        | "BatchNormalization"
        | "InstanceNormalization"
        | "LayerNormalization"
        | "SimplifiedLayerNormalization"
        | "GroupNormalization"
        | "RMSNormalization"
        | "MeanVarianceNormalization"
        | "LpNormalization"
        | "CumSum"
        | "ScatterND"
        | "ScatterElements"
        | "Scatter"
        | "Trilu"
        | "Shrink"
        | "ReverseSequence"
        | "CastLike"
        | "QLinearLeakyRelu"
        | "QLinearSigmoid"
        | "QLinearSoftmax" => as_first(None),
        "Not" | "IsNaN" | "IsInf" => as_first(Some(BOOL)),
        "QuantizeLinear" | "DynamicQuantizeLinear" => as_first(Some(2)),
        "DequantizeLinear" => as_first(Some(FLOAT)),
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "Min" | "Max" | "Mean" | "Sum" | "And" | "Or"
        | "Xor" | "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Where" | "PRelu"
        | "BitShift" | "QLinearAdd" | "QLinearMul" => values::broadcast(&call).map(Outcome::from),
        "Conv" | "FusedConv" => conv::convolution(&call, 0, 1, FLOAT),
        "QLinearConv" => conv::convolution(&call, 0, 3, 2),
        "ConvInteger" => conv::convolution(&call, 0, 1, 6),
        "ConvTranspose" => conv::transposed(&call),
        "MaxPool" | "AveragePool" | "LpPool" | "QLinearAveragePool" => conv::pool(&call),
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" | "QLinearGlobalAveragePool" => {
            let dims = call.dims(0)?.iter().enumerate().map(|(i, dim)| if i < 2 { *dim } else { 1 });
            Ok(Known::of_shape(dims.collect(), call.input(0)?.element).into())
        }
        "MatMul" => conv::product_of(&call, 0, 1, FLOAT),
        "MatMulInteger" => conv::product_of(&call, 0, 1, 6),
        "QLinearMatMul" => conv::product_of(&call, 0, 3, 2),
        "Gemm" => conv::gemm(&call, 0, 1, FLOAT),
        "QGemm" => conv::gemm(&call, 0, 3, 2),
        "Resize" | "Upsample" => conv::resize(&call).map(Outcome::from),
        "Pad" => conv::pad(&call).map(Outcome::from),
        "GridSample" => match (call.dims(0)?, call.dims(1)?) {
            ([n, c, ..], [_, spatial @ .., _]) => {
                let dims = [*n, *c].into_iter().chain(spatial.iter().copied());
                Ok(Known::of_shape(dims.collect(), FLOAT).into())
            }
            _ => Err(Unknown::Wrong),
        },
        _ => select::of(&call),
    }
}
