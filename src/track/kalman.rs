//! Where a box is and how sure we are of it, in frame heights and seconds.
//!
//! The center moves as an integrated Ornstein-Uhlenbeck process (velocity wanders around zero with a known
//! spread and forgets itself over a known time; Singer's model of a target, with velocity in place of
//! acceleration). Unlike white acceleration its uncertainty stays bounded, so a track that was never seen
//! moving and one that has coasted for a while both expect an ordinary walker and nothing faster.
//! The discretisation is exact, so any spacing of updates gives the same answer. Width and height wander
//! (random walk): people come nearer too slowly for their rate of growth to be worth estimating.

use crate::geometry::BBox;

use super::TrackParams;

/// Variance below which a spread is taken as zero, to keep divisions finite.
const TINY: f32 = 1e-9;

/// Position and velocity along one axis, with their covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    position: f32,
    velocity: f32,
    /// Variance of the position.
    pp: f32,
    /// Covariance of position and velocity.
    pv: f32,
    /// Variance of the velocity.
    vv: f32,
}

impl Axis {
    /// `spread` is the standard deviation of the velocity, `memory` its time constant in seconds.
    fn predict(&mut self, dt: f32, spread: f32, memory: f32) {
        let keep = (-dt / memory).exp();
        let reach = memory * (1.0 - keep);
        let variance = spread * spread;
        self.position += reach * self.velocity;
        self.velocity *= keep;
        let pp = self.pp + 2.0 * reach * self.pv + reach * reach * self.vv;
        let pv = keep * (self.pv + reach * self.vv);
        let vv = keep * keep * self.vv;
        let grown = 2.0 * dt / memory - 3.0 + 4.0 * keep - keep * keep;
        self.pp = pp + variance * memory * memory * grown.max(0.0);
        self.pv = pv + variance * memory * (1.0 - keep) * (1.0 - keep);
        self.vv = vv + variance * (1.0 - keep * keep);
    }

    fn update(&mut self, measured: f32, noise: f32) {
        let total = (self.pp + noise).max(TINY);
        let (gain_p, gain_v) = (self.pp / total, self.pv / total);
        let error = measured - self.position;
        self.position += gain_p * error;
        self.velocity += gain_v * error;
        self.vv -= gain_v * self.pv;
        self.pv *= 1.0 - gain_p;
        self.pp *= 1.0 - gain_p;
    }
}

/// A size (width or height) that wanders.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size {
    value: f32,
    variance: f32,
}

impl Size {
    fn update(&mut self, measured: f32, noise: f32) {
        let gain = self.variance / (self.variance + noise).max(TINY);
        self.value += gain * (measured - self.value);
        self.variance *= 1.0 - gain;
    }
}

/// Estimated box of one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxFilter {
    x: Axis,
    y: Axis,
    w: Size,
    h: Size,
}

impl BoxFilter {
    /// Starts at a first detection; the velocity is unknown but ordinary.
    #[must_use]
    pub fn new(bbox: &BBox, speed: f32, params: &TrackParams) -> Self {
        let center = bbox.center();
        let spread = params.first_speed * speed * bbox.h;
        let noise = (params.noise * bbox.h).powi(2);
        let axis = |position| Axis { position, velocity: 0.0, pp: noise, pv: 0.0, vv: spread * spread };
        let size = |value| Size { value, variance: (params.size_noise * bbox.h).powi(2) };
        Self { x: axis(center.x), y: axis(center.y), w: size(bbox.w), h: size(bbox.h) }
    }

    /// Moves on by `dt` seconds without evidence.
    pub fn predict(&mut self, dt: f32, speed: f32, params: &TrackParams) {
        if dt <= 0.0 {
            return;
        }
        let spread = speed * self.h.value;
        self.x.predict(dt, spread, params.memory);
        self.y.predict(dt, spread, params.memory);
        let growth = (params.growth * self.h.value).powi(2) * dt;
        self.w.variance += growth;
        self.h.variance += growth;
    }

    /// Takes a detection; `doubt` (1 = none) multiplies the variance of its measurement.
    pub fn update(&mut self, bbox: &BBox, doubt: f32, params: &TrackParams) {
        let center = bbox.center();
        let scale = self.h.value.max(bbox.h);
        let noise = doubt * (params.noise * scale).powi(2);
        self.x.update(center.x, noise);
        self.y.update(center.y, noise);
        let noise = doubt * (params.size_noise * scale).powi(2);
        self.w.update(bbox.w, noise);
        self.h.update(bbox.h, noise);
    }

    /// Squared Mahalanobis distance of a detection in center and height, and the logarithm of the spread's
    /// determinant relative to that of a fresh measurement: together twice the negative log-likelihood, up
    /// to a constant that all tracks share. Both are free of scale.
    #[must_use]
    pub fn surprise(&self, bbox: &BBox, params: &TrackParams) -> (f32, f32) {
        let center = bbox.center();
        let scale = self.h.value.max(TINY);
        let noise = (params.noise * scale).powi(2);
        let size_noise = (params.size_noise * scale).powi(2);
        let (sx, sy) = (self.x.pp + noise, self.y.pp + noise);
        let sh = self.h.variance + size_noise;
        let distance = (center.x - self.x.position).powi(2) / sx
            + (center.y - self.y.position).powi(2) / sy
            + (bbox.h - self.h.value).powi(2) / sh;
        (distance, (sx / noise * sy / noise * sh / size_noise).ln())
    }

    /// Mean square velocity of the two axes, in square body heights per square second.
    #[must_use]
    pub fn speed_squared(&self) -> f32 {
        let height = self.h.value.max(TINY);
        (self.x.velocity.powi(2) + self.y.velocity.powi(2)) / (2.0 * height * height)
    }

    /// The box as estimated.
    #[must_use]
    pub fn bbox(&self) -> BBox {
        let (w, h) = (self.w.value.max(0.0), self.h.value.max(0.0));
        BBox::new(self.x.position - w / 2.0, self.y.position - h / 2.0, w, h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: TrackParams = TrackParams::DEFAULT;

    #[test]
    fn one_long_step_equals_many_short_ones() {
        let mut long = BoxFilter::new(&BBox::new(0.2, 0.3, 0.1, 0.2), PARAMS.speed, &PARAMS);
        long.predict(0.1, PARAMS.speed, &PARAMS);
        long.update(&BBox::new(0.22, 0.3, 0.1, 0.2), 1.0, &PARAMS);
        let mut short = long;
        long.predict(0.5, PARAMS.speed, &PARAMS);
        for _ in 0..50 {
            short.predict(0.01, PARAMS.speed, &PARAMS);
        }
        assert!((long.x.position - short.x.position).abs() < 1e-4);
        assert!((long.x.pp - short.x.pp).abs() / long.x.pp < 1e-2);
        assert!((long.x.vv - short.x.vv).abs() / long.x.vv < 1e-3);
    }

    #[test]
    fn a_steady_walker_is_predicted_where_he_will_be() {
        let mut filter = BoxFilter::new(&BBox::new(0.0, 0.3, 0.1, 0.2), PARAMS.speed, &PARAMS);
        for step in 1..=10 {
            filter.predict(0.1, PARAMS.speed, &PARAMS);
            filter.update(&BBox::new(0.015 * step as f32, 0.3, 0.1, 0.2), 1.0, &PARAMS);
        }
        filter.predict(0.3, PARAMS.speed, &PARAMS);
        let expected = 0.015 * 13.0 + 0.05;
        assert!((filter.bbox().center().x - expected).abs() < 0.02, "{:?}", filter.bbox());
    }

    #[test]
    fn surprise_does_not_depend_on_scale() {
        let near = BoxFilter::new(&BBox::new(0.0, 0.0, 0.4, 0.8), PARAMS.speed, &PARAMS);
        let far = BoxFilter::new(&BBox::new(0.0, 0.0, 0.04, 0.08), PARAMS.speed, &PARAMS);
        let (a, log_a) = near.surprise(&BBox::new(0.1, 0.0, 0.4, 0.8), &PARAMS);
        let (b, log_b) = far.surprise(&BBox::new(0.01, 0.0, 0.04, 0.08), &PARAMS);
        assert!((a - b).abs() < 1e-2 && (log_a - log_b).abs() < 1e-3, "{a} {b}");
    }
}
