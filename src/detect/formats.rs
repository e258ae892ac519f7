//! Layouts of detection networks: how a frame becomes their input and their output becomes boxes. Pure.
//!
//! All take 32-bit floats, NCHW, channels in the order blue, green, red; the embedded model has a form that takes bytes as well.
//!
//! | format | frame | values | output row | score |
//! | --- | --- | --- | --- | --- |
//! | pcount | fitted top left, rest gray | as they are | logit, left, top, right, bottom | logistic of the logit |
//! | RTMDet | fitted top left, rest gray | minus mean | logit, left, top, right, bottom | logistic of the logit |
//! | YOLOX | fitted top left, rest gray | as they are | dx, dy, log w, log h, object, class.. | object x class |
//! | SSD with priors | stretched | as they are | dx, dy, dw, dh, person, background | softmax |
//! | Caffe SSD | stretched | (v - 127.5) x 0.007843 | image, class, score, corners in 0..1 | as given |

use crate::config::ModelFormat;

impl ModelFormat {
    /// The format as the configuration and the command line write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcount => "pcount",
            Self::Rtmdet => "rtmdet",
            Self::Yolox => "yolox",
            Self::SsdPrior => "ssd-prior",
            Self::CaffeSsd => "caffe-ssd",
        }
    }
}

/// A box in pixels of the network input, before suppression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) x1: f32,
    pub(super) y1: f32,
    pub(super) x2: f32,
    pub(super) y2: f32,
    /// 0..=1.
    pub(super) score: f32,
}

impl Candidate {
    fn area(&self) -> f32 {
        (self.x2 - self.x1) * (self.y2 - self.y1)
    }

    /// Intersection over union, 0..=1.
    pub(super) fn iou(&self, other: &Self) -> f32 {
        let w = self.x2.min(other.x2) - self.x1.max(other.x1);
        let h = self.y2.min(other.y2) - self.y1.max(other.y1);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let common = w * h;
        common / (self.area() + other.area() - common)
    }
}

/// Everything that is fixed by a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// Whether the frame is stretched over the whole input, rather than fitted with its aspect kept.
    pub(super) stretch: bool,
    /// Whether the network takes any input whose sides are multiples of [`STRIDE`].
    pub(super) any_size: bool,
    /// Input (width, height) when the file does not say.
    pub(super) usual_input: (u32, u32),
    /// Subtracted from blue, green, red.
    pub(super) mean: [f32; 3],
    /// Multiplied after the mean is subtracted.
    pub(super) scale: f32,
    /// Whether the network takes bytes, and of them what its first convolution looks at ([`super::preprocess::Input::Windows`]).
    pub(super) windows: bool,
    /// Overlap above which the weaker of two boxes goes.
    pub(super) nms_iou: f32,
    /// Score from which a detection is high-confidence, unless the configuration says otherwise.
    pub(super) confidence: f32,
}

/// Coarsest stride of the pcount, RTMDet and YOLOX heads: sides of their input are multiples of it.
pub(super) const STRIDE: u32 = 32;

/// Value of the border around a fitted frame, as in the training of pcount, RTMDet and YOLOX.
pub(super) const PAD: f32 = 114.0;

/// Scores below this are never returned: not even a tracker's second look gains from them.
pub(super) const SCORE_FLOOR: f32 = 0.1;

/// Class `person` among the 21 of PASCAL VOC, in the order MobileNet-SSD numbers them.
const VOC_PERSON: f32 = 15.0;

/// The profile of `format`.
///
/// Means, scales and overlaps are those the networks were trained and published with. The scores of high confidence are
/// where precision and recall balance on fixed cameras seen from above and from the street (best F1): 0.4 for
/// RTMDet, 0.5-0.57 for YOLOX, 0.23-0.25 for person-detection-0200. Those of pcount were chosen on validation
/// frames of its training sources (`models/README.md`). Caffe SSD keeps the 0.4 of the original people counter.
pub(super) const fn profile(format: ModelFormat) -> Profile {
    match format {
        ModelFormat::Pcount => Profile {
            stretch: false,
            any_size: true,
            usual_input: (320, 192),
            mean: [0.0; 3],
            scale: 1.0,
            windows: false,
            nms_iou: 0.55,
            confidence: 0.4,
        },
        ModelFormat::Rtmdet => Profile {
            stretch: false,
            any_size: true,
            usual_input: (320, 320),
            mean: [103.53, 116.28, 123.675],
            scale: 1.0,
            windows: false,
            nms_iou: 0.6,
            confidence: 0.4,
        },
        ModelFormat::Yolox => Profile {
            stretch: false,
            any_size: true,
            usual_input: (416, 416),
            mean: [0.0; 3],
            scale: 1.0,
            windows: false,
            nms_iou: 0.45,
            confidence: 0.5,
        },
        ModelFormat::SsdPrior => Profile {
            stretch: true,
            any_size: false,
            usual_input: (256, 256),
            mean: [0.0; 3],
            scale: 1.0,
            windows: false,
            nms_iou: 0.45,
            confidence: 0.25,
        },
        ModelFormat::CaffeSsd => Profile {
            stretch: true,
            any_size: false,
            usual_input: (300, 300),
            mean: [127.5; 3],
            scale: 0.007843,
            windows: false,
            nms_iou: 0.45,
            confidence: 0.4,
        },
    }
}

/// Reads the boxes out of a network's output.
///
/// `input` is the (width, height) the network was given. Candidates with a score of at least `floor` are
/// appended to `out`; boxes that are not finite or have no area are dropped.
///
/// # Errors
/// When `shape` is not the one this format has for this input; says which was expected.
pub(super) fn decode(
    format: ModelFormat,
    shape: &[i64],
    data: &[f32],
    input: (u32, u32),
    floor: f32,
    out: &mut Vec<Candidate>,
) -> Result<(), String> {
    let columns = row_length(format, shape, data.len(), input)?;
    match format {
        ModelFormat::Pcount | ModelFormat::Rtmdet => distances(data, input, floor, out),
        ModelFormat::Yolox => yolox(data, columns, input, floor, out),
        ModelFormat::SsdPrior => ssd_prior(data, input, floor, out),
        ModelFormat::CaffeSsd => caffe_ssd(data, input, floor, out),
    }
    Ok(())
}

/// Checks that an output can be of `format`, by its shape and, where that is not telling, its values.
///
/// # Errors
/// A sentence that says what was expected.
pub(super) fn check(
    format: ModelFormat,
    shape: &[i64],
    data: &[f32],
    input: (u32, u32),
) -> Result<(), String> {
    let columns = row_length(format, shape, data.len(), input)?;
    // SSD heads can have the shape of YOLOX, but give logits where it gives probabilities.
    let probability = |p: &f32| (-0.001..=1.001).contains(p);
    if format == ModelFormat::Yolox
        && !data.chunks_exact(columns).all(|row| row[4..6].iter().all(probability))
    {
        return Err("its scores are not all between 0 and 1".into());
    }
    Ok(())
}

/// Checks `shape` and gives the number of values a row.
fn row_length(format: ModelFormat, shape: &[i64], values: usize, input: (u32, u32)) -> Result<usize, String> {
    let cells = |strides: &[u32]| -> i64 {
        strides.iter().map(|s| i64::from(input.0.div_ceil(*s)) * i64::from(input.1.div_ceil(*s))).sum()
    };
    let (fits, expected) = match format {
        ModelFormat::Pcount | ModelFormat::Rtmdet => {
            let rows = cells(&[8, 16, 32]);
            (shape == [1, rows, 5], format!("[1, {rows}, 5]"))
        }
        ModelFormat::Yolox => {
            let rows = cells(&[8, 16, 32]);
            let fits = matches!(shape, [1, r, c] if *r == rows && *c >= 6);
            (fits, format!("[1, {rows}, 6 or more]"))
        }
        ModelFormat::SsdPrior => {
            let rows: i64 =
                PRIORS.iter().map(|level| cells(&[level.stride]) * level.sizes.len() as i64).sum();
            (shape == [1, rows, 6], format!("[1, {rows}, 6]"))
        }
        ModelFormat::CaffeSsd => (matches!(shape, [1, 1, _, 7]), "[1, 1, any, 7]".to_owned()),
    };
    let length = shape.iter().map(|n| usize::try_from(*n).unwrap_or(0)).product::<usize>();
    if fits && length == values {
        Ok(shape.last().map_or(1, |n| usize::try_from(*n).unwrap_or(1)).max(1))
    } else {
        Err(format!(
            "its output for a {}x{} input is {shape:?}, but the format has {expected}",
            input.0, input.1
        ))
    }
}

fn push(out: &mut Vec<Candidate>, score: f32, x1: f32, y1: f32, x2: f32, y2: f32) {
    // A comparison with NaN is false, so such boxes go too.
    if x2 > x1 && y2 > y1 && [x1, y1, x2, y2].iter().all(|v| v.abs() < 1e5) {
        out.push(Candidate { x1, y1, x2, y2, score });
    }
}

/// Calls `visit` for each cell of the three levels (strides 8, 16, 32; row by row) with its row of `data` and
/// its left top corner, in the unit of strides, and the stride.
fn for_each_cell(
    data: &[f32],
    columns: usize,
    input: (u32, u32),
    mut visit: impl FnMut(&[f32], f32, f32, f32),
) {
    let mut rows = data.chunks_exact(columns);
    for stride in [8, 16, 32] {
        for y in 0..input.1.div_ceil(stride) {
            for x in 0..input.0.div_ceil(stride) {
                let Some(row) = rows.next() else { return };
                visit(row, x as f32, y as f32, stride as f32);
            }
        }
    }
}

/// `1 / (1 + e^-x)`.
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The logit of a probability: comparing it with raw outputs saves an exponential for each cell.
fn logit(p: f32) -> f32 {
    (p / (1.0 - p)).ln()
}

fn distances(data: &[f32], input: (u32, u32), floor: f32, out: &mut Vec<Candidate>) {
    let floor = logit(floor);
    for_each_cell(data, 5, input, |row, x, y, stride| {
        if row[0] >= floor {
            let (x, y) = (x * stride, y * stride);
            push(out, logistic(row[0]), x - row[1], y - row[2], x + row[3], y + row[4]);
        }
    });
}

fn yolox(data: &[f32], columns: usize, input: (u32, u32), floor: f32, out: &mut Vec<Candidate>) {
    for_each_cell(data, columns, input, |row, x, y, stride| {
        let score = row[4] * row[5];
        if score >= floor {
            let (cx, cy) = ((row[0] + x) * stride, (row[1] + y) * stride);
            let (w, h) = (row[2].exp() * stride / 2.0, row[3].exp() * stride / 2.0);
            push(out, score.min(1.0), cx - w, cy - h, cx + w, cy + h);
        }
    });
}

/// Prior boxes of one level of an SSD head.
struct PriorLevel {
    stride: u32,
    /// Width and height in pixels of the input.
    sizes: &'static [(f32, f32)],
}

/// Prior boxes of person-detection-0200, as its graph holds them.
const PRIORS: [PriorLevel; 2] = [
    PriorLevel { stride: 16, sizes: &[(3.945, 12.884), (8.453, 25.781), (11.436, 40.464), (15.634, 57.199)] },
    PriorLevel {
        stride: 32,
        sizes: &[
            (20.214, 77.026),
            (25.892, 100.655),
            (32.781, 127.969),
            (41.468, 163.483),
            (55.389, 214.104),
        ],
    },
];

/// Variances of the SSD box coding (center, size): Liu et al., "SSD: Single Shot MultiBox Detector", 2016.
const SSD_VARIANCE: (f32, f32) = (0.1, 0.2);

fn ssd_prior(data: &[f32], input: (u32, u32), floor: f32, out: &mut Vec<Candidate>) {
    let floor = logit(floor);
    let mut rows = data.chunks_exact(6);
    for level in &PRIORS {
        let stride = level.stride as f32;
        for y in 0..input.1.div_ceil(level.stride) {
            for x in 0..input.0.div_ceil(level.stride) {
                for (w, h) in level.sizes {
                    let Some(row) = rows.next() else { return };
                    let logit = row[4] - row[5];
                    if logit >= floor {
                        let cx = (x as f32 + 0.5) * stride + SSD_VARIANCE.0 * row[0] * w;
                        let cy = (y as f32 + 0.5) * stride + SSD_VARIANCE.0 * row[1] * h;
                        let half_w = w * (SSD_VARIANCE.1 * row[2]).exp() / 2.0;
                        let half_h = h * (SSD_VARIANCE.1 * row[3]).exp() / 2.0;
                        push(out, logistic(logit), cx - half_w, cy - half_h, cx + half_w, cy + half_h);
                    }
                }
            }
        }
    }
}

fn caffe_ssd(data: &[f32], input: (u32, u32), floor: f32, out: &mut Vec<Candidate>) {
    let (w, h) = (input.0 as f32, input.1 as f32);
    for row in data.chunks_exact(7) {
        if row[1] == VOC_PERSON && row[2] >= floor {
            push(out, row[2].min(1.0), row[3] * w, row[4] * h, row[5] * w, row[6] * h);
        }
    }
}

#[cfg(test)]
mod tests;
