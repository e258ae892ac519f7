//! Operators that slide over frames, multiply matrices, stretch and pad.

use super::{
    super::inferred::{FLOAT, INT64, Inferred, product},
    call::{Answer, Call, Outcome, Unknown, axis, dim},
    values::common,
};

/// One spatial axis of a sliding window.
struct Window {
    kernel: f64,
    stride: f64,
    dilation: f64,
    before: f64,
    after: f64,
}

impl Window {
    /// Pixels that a kernel covers.
    fn reach(&self) -> f64 {
        (self.kernel - 1.0) * self.dilation + 1.0
    }

    fn is_sound(&self) -> bool {
        let Self { kernel, stride, dilation, before, after } = *self;
        kernel >= 1.0 && stride >= 1.0 && dilation >= 1.0 && before >= 0.0 && after >= 0.0
    }
}

/// The windows of as many spatial axes as there are `sides` of the kernel.
fn windows(call: &Call<'_>, sides: &[f64]) -> Answer<Vec<Window>> {
    let rank = sides.len();
    let list = |name: &str, otherwise: f64, length: usize| match call.node.numbers(name) {
        Some(numbers) if numbers.len() == length => Ok(numbers.to_vec()),
        Some(_) => Err(Unknown::Wrong),
        None => Ok(vec![otherwise; length]),
    };
    let (strides, dilations) = (list("strides", 1.0, rank)?, list("dilations", 1.0, rank)?);
    let pads = list("pads", 0.0, 2 * rank)?;
    let windows = (0..rank).map(|i| Window {
        kernel: sides[i],
        stride: strides[i],
        dilation: dilations[i],
        before: pads[i],
        after: pads[rank + i],
    });
    windows.map(|window| if window.is_sound() { Ok(window) } else { Err(Unknown::Wrong) }).collect()
}

fn pads_by_itself(call: &Call<'_>) -> bool {
    matches!(call.node.string("auto_pad"), b"SAME_UPPER" | b"SAME_LOWER")
}

/// Positions of a window along an axis of `length` pixels.
fn positions(call: &Call<'_>, window: &Window, length: u64) -> Answer<u64> {
    let length = length as f64;
    if pads_by_itself(call) {
        return dim((length / window.stride).ceil());
    }
    let steps = (length + window.before + window.after - window.reach()) / window.stride;
    let up = call.node.number("ceil_mode", 0.0) != 0.0;
    dim(if up { steps.ceil() } else { steps.floor() } + 1.0)
}

/// Number of frames, channels and spatial axes of an input [n, channels, spatial ..].
fn picture(dims: &[u64]) -> Answer<(u64, u64, &[u64])> {
    match dims {
        [n, channels, spatial @ ..] if !spatial.is_empty() => Ok((*n, *channels, spatial)),
        _ => Err(Unknown::Wrong),
    }
}

pub(super) fn convolution(call: &Call<'_>, input: usize, weights: usize, element: u64) -> Answer<Outcome> {
    let ((n, _, spatial), kernel) = (picture(call.dims(input)?)?, call.dims(weights)?);
    let [filters, _, ref sides @ ..] = kernel[..] else { return Err(Unknown::Wrong) };
    let depth = product(&kernel[1..]);
    let sides: Vec<f64> = sides.iter().map(|side| *side as f64).collect();
    if sides.len() != spatial.len() {
        return Err(Unknown::Wrong);
    }
    let mut dims = vec![n, filters];
    for (window, length) in windows(call, &sides)?.iter().zip(spatial) {
        dims.push(positions(call, window, *length)?);
    }
    let output = Inferred::of_shape(dims, element);
    let (work, places) = (output.count.saturating_mul(depth), output.count / filters.max(1));
    // Engines may copy what each kernel covers, in part.
    Ok(Outcome { work, buffer: places.saturating_mul(depth), outputs: vec![output] })
}

pub(super) fn transposed(call: &Call<'_>) -> Answer<Outcome> {
    let ((n, channels, spatial), kernel) = (picture(call.dims(0)?)?, call.dims(1)?);
    let [_, filters, ref sides @ ..] = kernel[..] else { return Err(Unknown::Wrong) };
    let sides: Vec<f64> = sides.iter().map(|side| *side as f64).collect();
    if sides.len() != spatial.len() {
        return Err(Unknown::Wrong);
    }
    let group = dim(call.node.number("group", 1.0))?;
    let mut dims = vec![n, filters.saturating_mul(group)];
    let more = call.node.numbers("output_padding").unwrap_or_default();
    // Newer files give it for the spatial axes only.
    let shape = call.node.numbers("output_shape").unwrap_or_default();
    let shape = &shape[shape.len().saturating_sub(sides.len())..];
    for (i, (window, length)) in windows(call, &sides)?.iter().zip(spatial).enumerate() {
        let full = (*length as f64 - 1.0) * window.stride + window.reach();
        let more = more.get(i).copied().unwrap_or(0.0).max(0.0);
        dims.push(match shape.get(i) {
            Some(length) => dim(*length)?,
            None if pads_by_itself(call) => dim(*length as f64 * window.stride)?,
            None => dim((full + more - window.before - window.after).max(0.0))?,
        });
    }
    let depth = product(&kernel[1..]);
    Ok(Outcome {
        work: product(spatial).saturating_mul(n).saturating_mul(channels).saturating_mul(depth),
        buffer: product(spatial).saturating_mul(depth),
        outputs: vec![Inferred::of_shape(dims, FLOAT)],
    })
}

pub(super) fn pool(call: &Call<'_>) -> Answer<Outcome> {
    let known = call.input(0)?;
    let (n, channels, spatial) = picture(call.dims(0)?)?;
    let sides = call.node.numbers("kernel_shape").ok_or(Unknown::Wrong)?;
    if sides.len() != spatial.len() {
        return Err(Unknown::Wrong);
    }
    let mut dims = vec![n, channels];
    for (window, length) in windows(call, sides)?.iter().zip(spatial) {
        dims.push(positions(call, window, *length)?);
    }
    let output = Inferred::of_shape(dims, known.element);
    // What lies beyond the frame costs nothing.
    let areas = sides.iter().zip(spatial).map(|(side, length)| dim(side.min(*length as f64)));
    let area = product(&areas.collect::<Answer<Vec<_>>>()?);
    let work = output.count.saturating_mul(area);
    let places = Inferred { element: INT64, ..output.clone() };
    Ok(Outcome { work, buffer: 0, outputs: vec![output, places] })
}

/// Matrices, the leading dimensions stretched to fit.
pub(super) fn product_of(call: &Call<'_>, left: usize, right: usize, element: u64) -> Answer<Outcome> {
    let (a, b) = (call.dims(left)?, call.dims(right)?);
    let (Some((k, above)), Some((last, below))) = (a.split_last(), b.split_last()) else {
        return Err(Unknown::Wrong);
    };
    let (batch_a, rows) = above.split_at(above.len().saturating_sub(1));
    let (batch_b, columns) = match below {
        [] => (below, None),
        [batch @ .., _] => (batch, Some(*last)),
    };
    let mut dims = common([batch_a, batch_b].into_iter())?;
    dims.extend(rows.iter().copied().chain(columns));
    let output = Inferred::of_shape(dims, element);
    Ok(Outcome { work: output.count.saturating_mul(*k), buffer: 0, outputs: vec![output] })
}

pub(super) fn gemm(call: &Call<'_>, left: usize, right: usize, element: u64) -> Answer<Outcome> {
    let ([a0, a1], [b0, b1]) = (call.dims(left)?, call.dims(right)?) else { return Err(Unknown::Wrong) };
    let turned = |name| call.node.number(name, 0.0) != 0.0;
    let (rows, k) = if turned("transA") { (*a1, *a0) } else { (*a0, *a1) };
    let columns = if turned("transB") { *b0 } else { *b1 };
    let output = Inferred::of_shape(vec![rows, columns], element);
    Ok(Outcome { work: output.count.saturating_mul(k), buffer: 0, outputs: vec![output] })
}

/// The axes that an operator works on; all where none is named.
fn axes_of(axes: Option<&[f64]>, rank: usize) -> Answer<Vec<usize>> {
    match axes {
        Some(axes) => axes.iter().map(|value| axis(*value, rank)).collect(),
        None => Ok((0..rank).collect()),
    }
}

pub(super) fn resize(call: &Call<'_>) -> Answer<Inferred> {
    let (dims, element, node) = (call.dims(0)?, call.input(0)?.element, call.node);
    let policy = node.string("keep_aspect_ratio_policy");
    if !policy.is_empty() && policy != b"stretch" {
        return Err(Unknown::Size);
    }
    // Upsample and the first Resize have the scales where later ones have the region.
    let scales = match (node.numbers("scales"), call.inputs.len()) {
        (Some(scales), _) => Some(scales),
        (None, 2) => call.values(1)?,
        (None, _) => call.values(2)?,
    };
    let scales = scales.filter(|scales| !scales.is_empty());
    let sizes = call.values(3)?.filter(|sizes| !sizes.is_empty());
    let axes = axes_of(node.numbers("axes"), dims.len())?;
    let list = sizes.or(scales).ok_or(Unknown::Size)?;
    if list.len() != axes.len() {
        return Err(Unknown::Wrong);
    }
    let mut new = dims.to_vec();
    for (at, value) in axes.iter().zip(list) {
        new[*at] = if sizes.is_some() { dim(*value)? } else { dim((dims[*at] as f64 * value).floor())? };
    }
    Ok(Inferred::of_shape(new, element))
}

pub(super) fn pad(call: &Call<'_>) -> Answer<Inferred> {
    let (dims, element) = (call.dims(0)?, call.input(0)?.element);
    let pads = match call.node.numbers("paddings") {
        Some(pads) => Some(pads),
        None => call.either("pads", 1)?,
    };
    let pads = pads.ok_or(Unknown::Size)?;
    let axes = axes_of(call.values(3)?, dims.len())?;
    if pads.len() != 2 * axes.len() {
        return Err(Unknown::Wrong);
    }
    let mut new = dims.to_vec();
    for (i, at) in axes.iter().enumerate() {
        new[*at] = dim(new[*at] as f64 + pads[i] + pads[axes.len() + i])?;
    }
    Ok(Inferred::of_shape(new, element))
}
