//! What may make a line or zone count badly, or a region hide too much.

use super::{Editor, Shape};
use crate::{
    count::replay::Paths,
    geometry::Point,
    host::Drawn,
    model::{LineConfig, Preview},
    tui::{format, text},
};

/// Shortest line that can be crossed sensibly, as a share of the frame's height.
const SHORTEST: f32 = 0.05;

/// Smallest zone that somebody can stand in sensibly, as a share of the picture.
const SMALLEST: f32 = 0.01;

/// A line nearer to an edge than this sees people only when they are half out of the picture.
const EDGE: f32 = 0.06;

/// People lower than this share of the picture are often missed by detectors.
const SMALL: f32 = 0.08;

/// Fewer sightings than this say nothing about the size of people.
const ENOUGH: usize = 8;

impl Editor {
    /// What may make what is edited count badly, judged by the picture and the people in it.
    #[must_use]
    pub fn warnings(&self, preview: Option<&Preview>) -> Vec<String> {
        let corners = self.points(self.chosen);
        match self.shape() {
            Shape::Line(_) => self.line().map(|line| self.line_warnings(line, preview)).unwrap_or_default(),
            Shape::Zone(_) => {
                let small = "the zone is too small to stand in";
                area_warnings(&corners, small).into_iter().chain(self.too_small(preview)).collect()
            }
            Shape::Ignored(_) => {
                let small = "the region is too small to hide anybody";
                area_warnings(&corners, small).into_iter().chain(self.hidden_lines(&corners)).collect()
            }
        }
    }

    fn line_warnings(&self, line: &LineConfig, preview: Option<&Preview>) -> Vec<String> {
        let aspect = preview.map_or(16.0 / 9.0, |p| p.size.0.max(1) as f32 / p.size.1.max(1) as f32);
        let mut warnings = Vec::new();
        if self.drawn.ignore.iter().any(|region| hides(region, line)) {
            warnings.push("it lies in an ignored region: nobody is counted here".into());
        }
        let length = ((line.b[0] - line.a[0]) * aspect).hypot(line.b[1] - line.a[1]);
        if length < SHORTEST {
            warnings.push("the line is too short to be crossed".into());
        }
        let edges = [
            (line.a[0].max(line.b[0]) < EDGE, "left"),
            (line.a[0].min(line.b[0]) > 1.0 - EDGE, "right"),
            (line.a[1].max(line.b[1]) < EDGE, "upper"),
            (line.a[1].min(line.b[1]) > 1.0 - EDGE, "lower"),
        ];
        for (_, edge) in edges.into_iter().filter(|(near, _)| *near) {
            warnings
                .push(format!("too near the {edge} edge: people leave the frame before they have crossed"));
        }
        warnings.extend(self.too_small(preview));
        warnings
    }

    /// Lines at which nobody is counted because of a region with these `corners`.
    fn hidden_lines(&self, corners: &[[f32; 2]]) -> Vec<String> {
        let hidden = self.drawn.lines.iter().filter(|line| hides(corners, line));
        hidden
            .map(|line| format!("'{}' lies in it: nobody is counted there", text::clean(&line.name)))
            .collect()
    }

    /// People there are too small to be found for certain: those of the last minutes, or as long as they are not
    /// known, those in the picture.
    fn too_small(&self, preview: Option<&Preview>) -> Option<String> {
        let replayed = self.replayed.as_ref().filter(|replayed| replayed.drawn == self.drawn);
        let known = replayed.and_then(|replayed| replayed.heights.get(self.chosen).copied().flatten());
        let (height, when) = match (known, preview) {
            (Some(height), _) => {
                let seconds = replayed.map_or(0.0, |replayed| replayed.with.seconds);
                (height, format!("over the last {}", format::minutes(seconds)))
            }
            (None, Some(preview)) => {
                let seen = preview.tracks.iter().filter(|track| track.confirmed);
                let aspect = preview.size.0.max(1) as f32 / preview.size.1.max(1) as f32;
                let near = seen
                    .filter(|track| {
                        is_near(&self.drawn, self.chosen, track.bbox.foot(), track.bbox.h, aspect)
                    })
                    .map(|track| track.bbox.h);
                (median(near.collect(), 1)?, "now".into())
            }
            (None, None) => return None,
        };
        (height < SMALL).then(|| {
            let share = (height * 100.0).round();
            format!("people there are too small ({share} % of the frame's height {when}): some are missed")
        })
    }
}

/// Usual height of the people at each line, zone and region of `drawn`, in this order, in frame heights; `None` where too few
/// were seen to tell.
#[must_use]
pub fn heights(paths: &Paths, drawn: &Drawn) -> Vec<Option<f32>> {
    let mut seen: Vec<Vec<f32>> = vec![Vec::new(); drawn.count()];
    for (foot, height) in paths.heights() {
        for (shape, heights) in seen.iter_mut().enumerate() {
            if is_near(drawn, shape, foot, height, paths.aspect()) {
                heights.push(height);
            }
        }
    }
    seen.into_iter().map(|heights| median(heights, ENOUGH)).collect()
}

/// The middle one of at least `enough` heights.
fn median(mut heights: Vec<f32>, enough: usize) -> Option<f32> {
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied().filter(|_| heights.len() >= enough)
}

/// Whether somebody of this height stands within one height of a line, or in a zone or region.
fn is_near(drawn: &Drawn, shape: usize, foot: Point, height: f32, aspect: f32) -> bool {
    if let Some(line) = drawn.lines.get(shape) {
        return distance(line, foot, aspect) < height;
    }
    let corners: Vec<Point> = drawn.points(shape).iter().map(|[x, y]| Point::new(x * aspect, *y)).collect();
    foot.is_in(&corners)
}

/// Distance from a foot to a line, in frame heights.
fn distance(line: &LineConfig, foot: Point, aspect: f32) -> f32 {
    let (ax, ay) = (line.a[0] * aspect, line.a[1]);
    let (dx, dy) = ((line.b[0] - line.a[0]) * aspect, line.b[1] - line.a[1]);
    let along = ((foot.x - ax) * dx + (foot.y - ay) * dy) / (dx * dx + dy * dy).max(1e-9);
    let along = along.clamp(0.0, 1.0);
    (foot.x - ax - dx * along).hypot(foot.y - ay - dy * along)
}

/// Whether all of `line` lies in a region with these `corners`.
fn hides(corners: &[[f32; 2]], line: &LineConfig) -> bool {
    let corners: Vec<Point> = corners.iter().map(|[x, y]| Point::new(*x, *y)).collect();
    let at =
        |t: f32| Point::new(line.a[0] + (line.b[0] - line.a[0]) * t, line.a[1] + (line.b[1] - line.a[1]) * t);
    // Short of the ends: one on the edge of the frame is on the edge of a region that reaches to it.
    (1..10).all(|step| at(step as f32 / 10.0).is_in(&corners))
}

/// What may be wrong with an area with these `corners`; `small`: what is said of one that is too small.
fn area_warnings(corners: &[[f32; 2]], small: &str) -> Vec<String> {
    let next = || corners.iter().cycle().skip(1);
    let area = corners.iter().zip(next()).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum::<f32>().abs() / 2.0;
    let sides: Vec<([f32; 2], [f32; 2])> = corners.iter().copied().zip(next().copied()).collect();
    let side =
        |a: [f32; 2], b: [f32; 2], c: [f32; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let crosses = sides.iter().enumerate().any(|(i, (a, b))| {
        sides.iter().skip(i + 1).any(|(c, d)| {
            side(*a, *b, *c) * side(*a, *b, *d) < 0.0 && side(*c, *d, *a) * side(*c, *d, *b) < 0.0
        })
    });
    let mut warnings = Vec::new();
    if area < SMALLEST {
        warnings.push(small.into());
    }
    if crosses {
        warnings.push("its sides cross: only parts of it are inside; move a corner".into());
    }
    warnings
}
