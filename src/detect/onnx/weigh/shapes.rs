//! The shape of each operator's result, as the ONNX specification has it.

use super::{
    super::read::Node,
    inferred::{BOOL, FLOAT, Inferred},
};
use call::{Answer, Call, Outcome, Unknown, dim};

pub(super) mod call;
mod conv;
mod select;
mod values;

/// What `node` gives for `inputs` (`None` for one that is left out).
pub(super) fn of(node: &Node<'_>, inputs: &[Option<&Inferred>]) -> Answer<Outcome> {
    let call = Call { node, inputs };
    let first = || call.input(0).cloned();
    let as_first = |element: Option<u64>| {
        first().map(|known| {
            let element = element.unwrap_or(known.element);
            Outcome::from(Inferred { element, values: None, ..known })
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
            Ok(Inferred::of_shape(dims.collect(), call.input(0)?.element).into())
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
                Ok(Inferred::of_shape(dims.collect(), FLOAT).into())
            }
            _ => Err(Unknown::Wrong),
        },
        _ => select::of(&call),
    }
}
