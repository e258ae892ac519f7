//! Operators that work on each value, and the values themselves where they are followed.

use super::{
    super::inferred::{BOOL, Inferred, MOST_VALUES},
    call::{Answer, Call, Outcome, Unknown},
};

/// The same shape with other values.
#[expect(clippy::unnecessary_wraps, reason = "as all that answers for an operator")]
pub(super) fn each(known: Inferred, element: u64, of: impl Fn(f64) -> f64) -> Answer<Outcome> {
    let result = Inferred { element, ..known };
    let is_integer = result.is_integer();
    let values = result.values.as_ref().map(|values| {
        let whole = |value: f64| if is_integer { value.trunc() } else { value };
        values.iter().map(|value| whole(of(*value))).collect()
    });
    Ok(Inferred { values, ..result }.into())
}

/// The shape that all of `shapes` fit into.
pub(super) fn common<'a>(shapes: impl Iterator<Item = &'a [u64]>) -> Answer<Vec<u64>> {
    let mut all: Vec<u64> = Vec::new();
    for shape in shapes {
        while all.len() < shape.len() {
            all.insert(0, 1);
        }
        let offset = all.len() - shape.len();
        for (into, dim) in all[offset..].iter_mut().zip(shape) {
            match (*into, *dim) {
                (1, dim) => *into = dim,
                (_, 1) => {}
                (into, dim) if into == dim => {}
                _ => return Err(Unknown::Wrong),
            }
        }
    }
    Ok(all)
}

/// Operators on several inputs, each stretched to the shape of all.
pub(super) fn broadcast(call: &Call<'_>) -> Answer<Inferred> {
    let operator = call.node.operator;
    // Quantized inputs come with a scale and a zero point each.
    let indexes: Vec<usize> =
        if operator.starts_with("QLinear") { vec![0, 3] } else { (0..call.inputs.len()).collect() };
    let inputs = indexes.iter().map(|index| call.input(*index)).collect::<Answer<Vec<_>>>()?;
    let element = match operator {
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor" => BOOL,
        "Where" => inputs.get(1).ok_or(Unknown::Wrong)?.element,
        _ => inputs.first().ok_or(Unknown::Wrong)?.element,
    };
    let shapes: Option<Vec<&[u64]>> = inputs.iter().map(|input| input.dims.as_deref()).collect();
    let Some(shapes) = shapes else {
        // Of an unknown shape: stretched by all others, unless those are as large or single values.
        let count = inputs.iter().fold(1, |product: u64, input| product.saturating_mul(input.count.max(1)));
        let largest = inputs.iter().map(|input| input.count).max().unwrap_or(0);
        let single = inputs.iter().filter(|input| input.count > 1).count() <= 1;
        return Ok(Inferred::at_most(if single { largest } else { count }, element));
    };
    let result = Inferred::of_shape(common(shapes.into_iter())?, element);
    if result.count > MOST_VALUES {
        return Ok(result);
    }
    let values: Option<Vec<&[f64]>> = inputs.iter().map(|input| input.values.as_deref()).collect();
    let whole = result.is_integer();
    let computed = values.and_then(|values| {
        // Shapes are lists of one length, or single values.
        let length = result.count as usize;
        let fits = values.iter().all(|values| values.len() == length || values.len() == 1);
        let at = |values: &[f64], index: usize| values[if values.len() == 1 { 0 } else { index }];
        let row = |index: usize| values.iter().map(|values| at(values, index)).collect::<Vec<_>>();
        fits.then(|| {
            (0..length).map(|index| combine(operator, &row(index), whole)).collect::<Option<Vec<_>>>()
        })?
    });
    Ok(result.with_values(computed))
}

fn combine(operator: &str, row: &[f64], whole: bool) -> Option<f64> {
    let truth = |yes: bool| Some(f64::from(u8::from(yes)));
    match (operator, row) {
        ("Add", [a, b]) => Some(a + b),
        ("Sub", [a, b]) => Some(a - b),
        ("Mul", [a, b]) => Some(a * b),
        ("Div" | "Mod", [_, 0.0]) => None,
        ("Div", [a, b]) => Some(if whole { (a / b).trunc() } else { a / b }),
        ("Mod", [a, b]) => Some(a - b * (a / b).floor()),
        ("Min", row) => row.iter().copied().reduce(f64::min),
        ("Max", row) => row.iter().copied().reduce(f64::max),
        ("Sum", row) => Some(row.iter().sum()),
        ("Equal", [a, b]) => truth(a == b),
        ("Less", [a, b]) => truth(a < b),
        ("Greater", [a, b]) => truth(a > b),
        ("LessOrEqual", [a, b]) => truth(a <= b),
        ("GreaterOrEqual", [a, b]) => truth(a >= b),
        ("Where", [which, a, b]) => Some(if *which == 0.0 { *b } else { *a }),
        _ => None,
    }
}
