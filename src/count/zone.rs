//! Zones: who is inside a polygon now, and how long they stayed.

use std::collections::BTreeMap;

use super::ZoneStatus;
use crate::{
    geometry::Point,
    model::{TrackId, ZoneConfig},
};

/// One polygon with the people in it.
#[derive(Debug, Clone)]
pub struct Zone {
    corners: Vec<Point>,
    /// Seconds outside after which a stay is over.
    exit: f64,
    /// First and last time each person was inside.
    inside: BTreeMap<TrackId, (f64, f64)>,
    stays: u64,
    dwell: f64,
}

impl Zone {
    /// The zone of `config` in a frame of this `aspect`; a stay ends after `exit` seconds outside.
    #[must_use]
    pub fn new(config: &ZoneConfig, aspect: f32, exit: f64) -> Self {
        let corners = config.points.iter().map(|[x, y]| Point::new(x * aspect, *y)).collect();
        Self { corners, exit, inside: BTreeMap::new(), stays: 0, dwell: 0.0 }
    }

    /// A confirmed person is at `point`.
    pub fn sighted(&mut self, id: TrackId, time: f64, point: Point) {
        if point.is_in(&self.corners) {
            self.inside.entry(id).or_insert((time, time)).1 = time;
        }
    }

    /// `heir` is the same person as `id`.
    pub fn hand_over(&mut self, id: TrackId, heir: TrackId) {
        if let Some(stay) = self.inside.remove(&id) {
            self.inside.insert(heir, stay);
        }
    }

    /// The person's track ended.
    pub fn gone(&mut self, id: TrackId) {
        if let Some((from, to)) = self.inside.remove(&id) {
            self.stays += 1;
            self.dwell += to - from;
        }
    }

    /// Ends the stays of people who have been outside for long enough.
    pub fn tick(&mut self, time: f64) {
        let left: Vec<TrackId> =
            self.inside.iter().filter(|(_, (_, last))| time - last > self.exit).map(|(&id, _)| id).collect();
        for id in left {
            self.gone(id);
        }
    }

    /// What is shown of it.
    #[must_use]
    pub fn status(&self) -> ZoneStatus {
        let mean_dwell = if self.stays == 0 { 0.0 } else { self.dwell / self.stays as f64 };
        ZoneStatus { occupancy: self.inside.len() as u64, stays: self.stays, mean_dwell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Anchor;

    #[test]
    fn a_stay_is_timed_and_a_short_absence_does_not_end_it() {
        let config = ZoneConfig {
            name: "till".into(),
            points: vec![[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]],
            anchor: Anchor::Foot,
            threshold: None,
        };
        let mut zone = Zone::new(&config, 2.0, 0.5);
        let (inside, outside) = (Point::new(1.0, 0.5), Point::new(0.2, 0.5));
        for (time, point) in [(0.0, outside), (1.0, inside), (1.3, outside), (1.6, inside), (3.0, inside)] {
            zone.sighted(7, time, point);
            if time < 2.0 {
                zone.tick(time);
            }
        }
        assert_eq!(zone.status(), ZoneStatus { occupancy: 1, stays: 0, mean_dwell: 0.0 });
        zone.tick(4.0);
        assert_eq!(zone.status(), ZoneStatus { occupancy: 0, stays: 1, mean_dwell: 2.0 });
    }
}
