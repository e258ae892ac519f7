//! Operators that make, pick, join and rearrange values.

use super::{
    super::inferred::{FLOAT, INT64, Inferred, MOST_VALUES, of_tensor, product},
    call::{Answer, Call, Outcome, Unknown, axis, dim},
    values::common,
};

pub(super) fn of(call: &Call<'_>) -> Answer<Outcome> {
    let node = call.node;
    match node.operator {
        "Constant" => constant(call),
        "Shape" => shape(call),
        "Size" => {
            let values = call.input(0)?.dims.as_ref().map(|dims| vec![product(dims) as f64]);
            Ok(Inferred::of_shape(Vec::new(), INT64).with_values(values))
        }
        "ConstantOfShape" => {
            let dims = sizes(call.values(0)?)?;
            let value = node.tensor("value").map(of_tensor).transpose().map_err(|_| Unknown::Wrong)?;
            let element = value.as_ref().map_or(FLOAT, |value| value.element);
            let fill = value.map_or(Some(0.0), |value| value.values?.first().copied());
            Ok(filled(Inferred::of_shape(dims, element), fill))
        }
        "Expand" => {
            let (target, known) = (sizes(call.values(1)?)?, call.input(0)?);
            let result = Inferred::of_shape(common([call.dims(0)?, &target].into_iter())?, known.element);
            let single = known.values.as_ref().filter(|values| values.len() == 1).map(|values| values[0]);
            Ok(filled(result, single))
        }
        "Tile" => {
            let (dims, times) = (call.dims(0)?, sizes(call.values(1)?)?);
            if dims.len() != times.len() {
                return Err(Unknown::Wrong);
            }
            let dims = dims.iter().zip(&times).map(|(dim, times)| dim.saturating_mul(*times)).collect();
            Ok(Inferred::of_shape(dims, call.input(0)?.element))
        }
        "Range" => range(call),
        "Reshape" => reshape(call),
        "Flatten" => {
            let dims = call.dims(0)?;
            let at = node.number("axis", 1.0);
            let at = if at == dims.len() as f64 { dims.len() } else { axis(at, dims.len())? };
            let (rows, columns) = dims.split_at(at);
            Ok(Inferred::of_shape(vec![product(rows), product(columns)], call.input(0)?.element))
        }
        "Transpose" => transpose(call),
        "Squeeze" => squeeze(call),
        "Unsqueeze" => unsqueeze(call),
        "Concat" | "QLinearConcat" => concat(call),
        "Split" => return split(call),
        "Slice" => slice(call),
        "Gather" => gather(call),
        "GatherElements" => {
            Ok(Inferred { element: call.input(0)?.element, values: None, ..call.input(1)?.clone() })
        }
        "GatherND" => gather_nd(call),
        "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2"
        | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceSumSquare" | "ArgMax" | "ArgMin" => reduce(call),
        "TopK" => return top_k(call),
        // Each box three numbers, for each class.
        "NonMaxSuppression" => Ok(Inferred::at_most(call.input(1)?.count.saturating_mul(3), INT64)),
        "NonZero" => Ok(Inferred::at_most(call.input(0)?.count.saturating_mul(8), INT64)),
        "Compress" | "Unique" => Ok(Inferred::at_most(call.input(0)?.count, call.input(0)?.element)),
        "DepthToSpace" | "SpaceToDepth" => block(call),
        "OneHot" => {
            let depth = sizes(call.values(1)?)?;
            let [depth] = depth[..] else { return Err(Unknown::Wrong) };
            Ok(Inferred::at_most(call.input(0)?.count.saturating_mul(depth), call.input(2)?.element))
        }
        _ => Err(Unknown::Operator),
    }
    .map(Outcome::from)
}

/// Values that are dimensions.
fn sizes(values: Option<&[f64]>) -> Answer<Vec<u64>> {
    values.ok_or(Unknown::Size)?.iter().map(|value| dim(*value)).collect()
}

/// `value` everywhere, where it is known and followed.
fn filled(result: Inferred, value: Option<f64>) -> Inferred {
    let count = result.count;
    let value = value.filter(|_| count <= MOST_VALUES);
    result.with_values(value.map(|value| vec![value; count as usize]))
}

fn constant(call: &Call<'_>) -> Answer<Inferred> {
    if let Some(tensor) = call.node.tensor("value") {
        return of_tensor(tensor).map_err(|_| Unknown::Wrong);
    }
    for (name, element) in [("value_int", INT64), ("value_float", FLOAT)] {
        if let Some(numbers) = call.node.numbers(name) {
            return Ok(Inferred::of_shape(Vec::new(), element).with_values(Some(numbers.to_vec())));
        }
    }
    for (name, element) in [("value_ints", INT64), ("value_floats", FLOAT)] {
        if let Some(numbers) = call.node.numbers(name) {
            let dims = vec![numbers.len() as u64];
            return Ok(Inferred::of_shape(dims, element).with_values(Some(numbers.to_vec())));
        }
    }
    Err(Unknown::Wrong)
}

fn shape(call: &Call<'_>) -> Answer<Inferred> {
    let Some(dims) = &call.input(0)?.dims else {
        return Ok(Inferred::at_most(super::super::MOST_DIMS as u64, INT64));
    };
    let at = |name, otherwise: usize| {
        let value = call.node.number(name, otherwise as f64);
        let value = if value < 0.0 { value + dims.len() as f64 } else { value };
        value.clamp(0.0, dims.len() as f64) as usize
    };
    let part = dims.get(at("start", 0)..at("end", dims.len())).unwrap_or_default();
    let values = part.iter().map(|dim| *dim as f64).collect();
    Ok(Inferred::of_shape(vec![part.len() as u64], INT64).with_values(Some(values)))
}

fn range(call: &Call<'_>) -> Answer<Inferred> {
    let one = |index| match call.values(index)? {
        Some([value]) => Ok(*value),
        _ => Err(Unknown::Wrong),
    };
    let (start, limit, step) = (one(0)?, one(1)?, one(2)?);
    let count = ((limit - start) / step).ceil().max(0.0);
    let result = Inferred::of_shape(vec![dim(count)?], call.input(0)?.element);
    let count = result.count;
    let values = (count <= MOST_VALUES).then(|| (0..count).map(|i| start + step * i as f64).collect());
    Ok(result.with_values(values))
}

/// The values stay, whatever shape is asked for.
fn reshape(call: &Call<'_>) -> Answer<Inferred> {
    let known = call.input(0)?;
    let any = Inferred { dims: None, ..known.clone() };
    let Ok(Some(asked)) = call.either("shape", 1) else { return Ok(any) };
    let keeps_zero = call.node.number("allowzero", 0.0) != 0.0;
    let mut dims = Vec::new();
    let mut open = None;
    for (i, value) in asked.iter().enumerate() {
        if *value == -1.0 {
            open = Some(i);
            dims.push(1);
        } else if *value == 0.0 && !keeps_zero {
            let Some(old) = known.dims.as_ref().and_then(|dims| dims.get(i)) else { return Ok(any) };
            dims.push(*old);
        } else {
            dims.push(dim(*value)?);
        }
    }
    if let Some(i) = open {
        dims[i] = known.count.checked_div(product(&dims)).unwrap_or(0);
    }
    if product(&dims) != known.count {
        // Its input's size is only a bound, or the shape is wrong, which the engine finds out.
        return Ok(any);
    }
    Ok(Inferred { dims: Some(dims), ..known.clone() })
}

fn transpose(call: &Call<'_>) -> Answer<Inferred> {
    let known = call.input(0)?;
    let Some(dims) = &known.dims else { return Ok(Inferred { values: None, ..known.clone() }) };
    let order = match call.node.numbers("perm") {
        Some(order) => order.iter().map(|value| axis(*value, dims.len())).collect::<Answer<Vec<_>>>()?,
        None => (0..dims.len()).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..dims.len()) {
        return Err(Unknown::Wrong);
    }
    let values = known.values.clone().filter(|_| dims.len() == 1);
    Ok(Inferred::of_shape(order.iter().map(|i| dims[*i]).collect(), known.element).with_values(values))
}

fn squeeze(call: &Call<'_>) -> Answer<Inferred> {
    let known = call.input(0)?;
    let (Some(dims), Ok(axes)) = (&known.dims, call.either("axes", 1)) else {
        return Ok(Inferred { dims: None, ..known.clone() });
    };
    let axes = axes.map(|axes| axes.iter().map(|value| axis(*value, dims.len())).collect::<Answer<Vec<_>>>());
    let axes = axes.transpose()?;
    let goes = |(i, dim): &(usize, &u64)| **dim == 1 && axes.as_ref().is_none_or(|axes| axes.contains(i));
    let new = dims.iter().enumerate().filter(|entry| !goes(entry)).map(|(_, dim)| *dim).collect();
    Ok(Inferred { dims: Some(new), ..known.clone() })
}

fn unsqueeze(call: &Call<'_>) -> Answer<Inferred> {
    let known = call.input(0)?;
    let (Some(dims), Ok(Some(axes))) = (&known.dims, call.either("axes", 1)) else {
        return Ok(Inferred { dims: None, ..known.clone() });
    };
    let rank = dims.len() + axes.len();
    let mut axes = axes.iter().map(|value| axis(*value, rank)).collect::<Answer<Vec<_>>>()?;
    axes.sort_unstable();
    let mut new = dims.clone();
    for at in axes {
        new.insert(at.min(new.len()), 1);
    }
    Ok(Inferred { dims: Some(new), ..known.clone() })
}

fn concat(call: &Call<'_>) -> Answer<Inferred> {
    // Quantized: the result's scale and zero point, then each input with its own.
    let quantized = call.node.operator == "QLinearConcat";
    let inputs = call.inputs.iter().copied().flatten();
    let inputs: Vec<&Inferred> =
        if quantized { inputs.skip(2).step_by(3).collect() } else { inputs.collect() };
    let first = inputs.first().ok_or(Unknown::Wrong)?;
    let count = inputs.iter().fold(0, |sum: u64, input| sum.saturating_add(input.count));
    let shapes: Option<Vec<&Vec<u64>>> = inputs.iter().map(|input| input.dims.as_ref()).collect();
    let Some(shapes) = shapes else { return Ok(Inferred::at_most(count, first.element)) };
    let mut dims = shapes[0].clone();
    let at = axis(call.node.number("axis", 1.0), dims.len())?;
    dims[at] = 0;
    for shape in &shapes {
        dims[at] = dims[at].saturating_add(*shape.get(at).ok_or(Unknown::Wrong)?);
    }
    let values = inputs.iter().map(|input| input.values.clone()).collect::<Option<Vec<_>>>();
    let values = values.filter(|_| dims.len() == 1).map(|values| values.concat());
    // Inputs that do not fit would make it larger than their sum.
    let result = Inferred::of_shape(dims, first.element).with_values(values);
    if result.count == count { Ok(result) } else { Err(Unknown::Wrong) }
}

fn split(call: &Call<'_>) -> Answer<Outcome> {
    let (known, parts) = (call.input(0)?, call.node.outputs.len());
    let (Some(dims), Ok(sizes)) = (&known.dims, call.either("split", 1)) else {
        return Ok(Inferred { dims: None, values: None, ..known.clone() }.into());
    };
    let at = axis(call.node.number("axis", 0.0), dims.len())?;
    let equal = vec![dims[at].div_ceil((parts as u64).max(1)) as f64; parts];
    let mut start = 0usize;
    let mut outputs = Vec::new();
    for size in sizes.unwrap_or(&equal) {
        let mut part = dims.clone();
        part[at] = dim(*size)?.min(dims[at]);
        let end = start.saturating_add(part[at] as usize);
        let values =
            known.values.as_ref().filter(|_| dims.len() == 1).and_then(|values| values.get(start..end));
        outputs.push(Inferred::of_shape(part, known.element).with_values(values.map(<[f64]>::to_vec)));
        start = end;
    }
    if outputs.len() < parts {
        return Err(Unknown::Wrong);
    }
    Ok(Outcome { outputs, work: 0, buffer: 0 })
}

fn slice(call: &Call<'_>) -> Answer<Inferred> {
    let known = call.input(0)?;
    let lists = (call.either("starts", 1), call.either("ends", 2), call.either("axes", 3), call.values(4));
    let (Some(dims), (Ok(Some(starts)), Ok(Some(ends)), Ok(axes), Ok(steps))) = (&known.dims, lists) else {
        return Ok(Inferred { dims: None, values: None, ..known.clone() });
    };
    let mut new = dims.clone();
    let mut values = known.values.clone().filter(|_| dims.len() == 1);
    for (i, (start, end)) in starts.iter().zip(ends).enumerate() {
        let at = match axes {
            Some(axes) => axis(*axes.get(i).ok_or(Unknown::Wrong)?, dims.len())?,
            None => axis(i as f64, dims.len())?,
        };
        let step = steps.and_then(|steps| steps.get(i)).copied().unwrap_or(1.0);
        let length = dims[at] as f64;
        let place = |value: f64, low: f64, high: f64| {
            (if value < 0.0 { value + length } else { value }).clamp(low, high)
        };
        let (start, end) = if step < 0.0 {
            (place(*start, 0.0, (length - 1.0).max(0.0)), place(*end, -1.0, length))
        } else {
            (place(*start, 0.0, length), place(*end, 0.0, length))
        };
        new[at] = dim(((end - start) / step).ceil().max(0.0)).unwrap_or(0).min(dims[at]);
        let count = new[at];
        values = values.map(|values| {
            (0..count).filter_map(|n| values.get((start + step * n as f64) as usize).copied()).collect()
        });
    }
    Ok(Inferred::of_shape(new, known.element).with_values(values))
}

fn gather(call: &Call<'_>) -> Answer<Inferred> {
    let (data, places) = (call.input(0)?, call.input(1)?);
    let (Some(dims), Some(indexes)) = (&data.dims, &places.dims) else {
        return Ok(Inferred::at_most(data.count.saturating_mul(places.count), data.element));
    };
    let at = axis(call.node.number("axis", 0.0), dims.len())?;
    let new = dims[..at].iter().chain(indexes).chain(&dims[at + 1..]).copied().collect();
    let values = data.values.as_ref().filter(|_| dims.len() == 1).zip(places.values.as_ref());
    let values = values.and_then(|(values, places)| {
        let pick = |place: &f64| values.get(axis(*place, values.len()).ok()?).copied();
        places.iter().map(pick).collect::<Option<Vec<_>>>()
    });
    Ok(Inferred::of_shape(new, data.element).with_values(values))
}

fn gather_nd(call: &Call<'_>) -> Answer<Inferred> {
    let (data, places) = (call.input(0)?, call.input(1)?);
    let batch = dim(call.node.number("batch_dims", 0.0))? as usize;
    let (Some(dims), Some(indexes)) = (&data.dims, &places.dims) else {
        return Ok(Inferred::at_most(data.count.saturating_mul(places.count), data.element));
    };
    let Some((last, rest)) = indexes.split_last() else { return Err(Unknown::Wrong) };
    let whole = dims.get(batch.saturating_add(*last as usize)..).ok_or(Unknown::Wrong)?;
    Ok(Inferred::of_shape(rest.iter().chain(whole).copied().collect(), data.element))
}

fn reduce(call: &Call<'_>) -> Answer<Inferred> {
    let (node, known) = (call.node, call.input(0)?);
    let picks = node.operator.starts_with("Arg");
    let element = if picks { INT64 } else { known.element };
    let axes = if picks { Ok(Some(node.numbers("axis").unwrap_or(&[0.0]))) } else { call.either("axes", 1) };
    let (Some(dims), Ok(axes)) = (&known.dims, axes) else {
        return Ok(Inferred { dims: None, values: None, element, ..known.clone() });
    };
    let axes = match axes.filter(|axes| !axes.is_empty()) {
        Some(axes) => axes.iter().map(|value| axis(*value, dims.len())).collect::<Answer<Vec<_>>>()?,
        None if node.number("noop_with_empty_axes", 0.0) != 0.0 => return Ok(known.clone()),
        None => (0..dims.len()).collect(),
    };
    let keeps = node.number("keepdims", 1.0) != 0.0;
    let kept = dims.iter().enumerate().filter_map(|(i, dim)| match (axes.contains(&i), keeps) {
        (false, _) => Some(*dim),
        (true, true) => Some(1),
        (true, false) => None,
    });
    let result = Inferred::of_shape(kept.collect(), element);
    let value = known.values.as_ref().filter(|_| result.count == 1).and_then(|values| match node.operator {
        "ReduceProd" => Some(values.iter().product()),
        "ReduceSum" => Some(values.iter().sum()),
        "ReduceMax" => values.iter().copied().reduce(f64::max),
        "ReduceMin" => values.iter().copied().reduce(f64::min),
        _ => None,
    });
    Ok(result.with_values(value.map(|value| vec![value])))
}

fn top_k(call: &Call<'_>) -> Answer<Outcome> {
    let known = call.input(0)?;
    let mut result = Inferred { values: None, ..known.clone() };
    if let (Some(dims), Ok(Some([k, ..]))) = (&known.dims, call.either("k", 1)) {
        let at = axis(call.node.number("axis", -1.0), dims.len())?;
        let mut dims = dims.clone();
        dims[at] = dim(*k)?.min(dims[at]);
        result = Inferred::of_shape(dims, known.element);
    }
    let places = Inferred { element: INT64, ..result.clone() };
    Ok(Outcome { outputs: vec![result, places], work: 0, buffer: 0 })
}

fn block(call: &Call<'_>) -> Answer<Inferred> {
    let [n, c, h, w] = call.dims(0)? else { return Err(Unknown::Wrong) };
    let side = dim(call.node.number("blocksize", 0.0))?;
    if side == 0 {
        return Err(Unknown::Wrong);
    }
    let area = side.saturating_mul(side);
    let dims = if call.node.operator == "DepthToSpace" {
        vec![*n, c / area, h.saturating_mul(side), w.saturating_mul(side)]
    } else {
        vec![*n, c.saturating_mul(area), h / side, w / side]
    };
    Ok(Inferred::of_shape(dims, call.input(0)?.element))
}
