//! The constants of the cadence. `docs/performance.md` tells what each way of saving work brings.
//!
//! What is not here is no choice: guards against a division by zero, and the resolution of a histogram.

use crate::constants::constants;

constants! {
    /// Constants that decide when, where and at which size a detector runs. The first word of each says what it belongs to:
    /// `gate` (motion), `flow` (optical flow), `steady` (detectors that need a steady rate), `rate`, `region` (regions of
    /// interest), `input` (size of the detector's input), `payoff` (which size pays).
    pub struct CadenceParams {
        /// Cells across the thumbnail that is compared, about. A person of 30 px in a frame of 416 px, the smallest that detectors
        /// find, covers about seven by three.
        gate_columns: i32 = 96, 4..=4096, "cells";
        /// By how much a cell must differ from the background to show motion. The noise of a camera at night, averaged over the
        /// dozen pixels in a cell, stays below a third of this.
        gate_change: f32 = 8.0, 0.0..=255.0, "gray levels";
        /// By how much it must differ from what the last detection run saw to call for another: the same person, a step further,
        /// may look much the same.
        gate_new_change: f32 = 4.0, 0.0..=255.0, "gray levels";
        /// Changed cells that make a motion: one may be a defect or a blinking lamp.
        gate_cells: usize = 2, 1..=10_000, "cells";
        /// Still cells that may lie between two parts of one motion: clothes like the wall behind them do not change it.
        gate_gap: usize = 3, 0..=1000, "cells";
        /// Time in which the background follows by 63 %. Longer than a step, so that slow motion adds up; short enough that a
        /// parked car is background soon.
        gate_memory: f32 = 3.0, 0.01..=3600.0, "s";
        /// How fast the background behind people who pass is adapted: somebody who passes within a second hardly changes it, and an
        /// object that is left there is part of it in half a minute.
        gate_empty_rate: f32 = 8.0, 0.0..=1e5, "gray levels/s";
        /// Share of the frame that differs from it from which the frame is another one.
        gate_flood: f32 = 0.85, 0.0..=1.0, "share";
        /// The change of light is the median over every this many cells: hundreds of them, which is plenty.
        gate_light_step: usize = 7, 1..=1000, "cells";
        /// Time without people and motion after which a camera may sleep.
        gate_quiet: f64 = 5.0, 0.0..=3600.0, "s";

        /// Points across a box.
        flow_columns: usize = 4, 2..=50, "points";
        /// Points down a box.
        flow_rows: usize = 5, 2..=50, "points";
        /// Left end of the points: the middle of the upper body. Legs go to and fro, and the corners of a box show what is behind.
        flow_left: f32 = 0.25, 0.0..=1.0, "box widths";
        /// Right end of the points.
        flow_right: f32 = 0.75, 0.0..=1.0, "box widths";
        /// Upper end of the points.
        flow_top: f32 = 0.1, 0.0..=1.0, "box heights";
        /// Lower end of the points.
        flow_bottom: f32 = 0.6, 0.0..=1.0, "box heights";
        /// Side of the square around a point that is searched for.
        flow_window: i32 = 9, 3..=101, "pixels";
        /// How often the frame is halved: movements of 4 pixels are found in the frame itself.
        flow_halvings: i32 = 2, 0..=8, "halvings";
        /// Most steps of the search for a point.
        flow_steps: i32 = 15, 1..=1000, "steps";
        /// The search ends at a step shorter than this.
        flow_step: f64 = 0.03, 0.0001..=10.0, "pixels";
        /// A square needs this much texture (least eigenvalue of its gradients by its area) to be searched for.
        flow_texture: f64 = 1e-4, 0.0..=1.0, "eigenvalue";
        /// A point is found again when the way back ends this near to it.
        flow_return: f64 = 0.7, 0.0..=100.0, "pixels";
        /// Share of the points that must be found again.
        flow_found: f32 = 0.3, 0.0..=1.0, "share";
        /// Half of the points must move alike: within this distance, or `flow_alike_share` of the way.
        flow_alike: f32 = 0.7, 0.0..=100.0, "pixels";
        /// Half of the points must move alike: within this share of the way, or `flow_alike`.
        flow_alike_share: f32 = 0.15, 0.0..=10.0, "share";
        /// Two people who overlap by more than this share of the smaller one occlude each other and cannot be told apart.
        flow_occluded: f32 = 0.6, 0.0..=1.0, "share";
        /// Boxes lower than this carry no texture.
        flow_smallest: f32 = 10.0, 0.0..=1000.0, "pixels";

        /// Time for which motion keeps a detector running that needs a steady rate.
        steady_hold: f64 = 1.0, 0.0..=600.0, "s";
        /// Time between its detection runs on a still, empty frame.
        steady_heartbeat: f64 = 1.0, 0.01..=600.0, "s";

        /// Time between frames checked for motion where the detector rests: a person who appears waits no longer.
        rate_check: f64 = 0.25, 0.001..=60.0, "s";
        /// Time between detection runs where nothing moves and nobody is, so that no person who stands still is forgotten for longer.
        rate_heartbeat: f64 = 3.0, 0.01..=600.0, "s";
        /// The same where nobody was there and nothing has moved for `rate_idle_after`: a person who appears moves.
        rate_idle: f64 = 6.0, 0.01..=600.0, "s";
        /// Time without people and motion after which the heartbeat is `rate_idle`.
        rate_idle_after: f64 = 30.0, 0.0..=3600.0, "s";
        /// Rate while everybody in the frame stands still.
        rate_still: f64 = 1.0, 0.01..=240.0, "detections/s";
        /// Rate while something moves near a line that no track explains.
        rate_search_near: f64 = 5.0, 0.01..=240.0, "detections/s";
        /// Rate while something moves elsewhere that no track explains.
        rate_search_far: f64 = 3.0, 0.01..=240.0, "detections/s";
        /// Rate of searches that may be unproductive without becoming rarer. What moves now and then only, as a shadow after
        /// somebody has left, does not make the next person be found late.
        rate_unproductive: f64 = 1.5, 0.01..=240.0, "detections/s";
        /// Searches in a row that found nobody, beyond those that `rate_unproductive` allows, before they become as rare as that: it
        /// is a tree, a car or a screen.
        rate_unproductive_runs: f64 = 5.0, 0.0..=10_000.0, "detections";
        /// No search is unproductive that has a low-confidence detection this near to a line: a network is often not sure of a new
        /// person for a second, in which they walk as far as this.
        rate_promising: f32 = 1.5, 0.0..=100.0, "body heights";
        /// How long a source is starting: everybody is new at once, and who is half occluded is found in one frame and not in the next.
        rate_start_time: f64 = 2.0, 0.0..=600.0, "s";
        /// Rate at the start of a source, on whole frames, while anybody is there or anything moves.
        rate_start: f64 = 10.0, 0.01..=240.0, "detections/s";
        /// Least rate for a tentative track: it is confirmed after 0.2 s and must be detected twice by then.
        rate_tentative: f64 = 5.0, 0.01..=240.0, "detections/s";
        /// How far a person near a line may move between two detection runs. A walker (0.8 body heights a second) gets six a second:
        /// counts were as good as with every frame from there on, and worse below.
        rate_near_step: f32 = 0.13, 0.001..=100.0, "body heights";
        /// How far anybody else may move between two detection runs: boxes of the same person still overlap.
        rate_far_step: f32 = 0.3, 0.001..=100.0, "body heights";
        /// Highest rate for a person that optical flow finds in every frame. Half as much is enough, but not for people that a weak
        /// detector finds now and then only, by runs for the sake of others.
        rate_flow: f64 = 3.0, 0.01..=240.0, "detections/s";
        /// Least rate for a person near a line.
        rate_near_least: f64 = 3.0, 0.01..=240.0, "detections/s";
        /// Highest rate for a person near a line.
        rate_near_most: f64 = 12.0, 0.01..=240.0, "detections/s";
        /// Least rate for a person far from every line.
        rate_far_least: f64 = 3.0, 0.01..=240.0, "detections/s";
        /// Highest rate for a person far from every line.
        rate_far_most: f64 = 6.0, 0.01..=240.0, "detections/s";
        /// Least rate for a person near a line missed by the last detection runs: a weak detector needs more tries, and a wrong
        /// guess of where they are grows with time.
        rate_missed_near: f64 = 10.0, 0.01..=240.0, "detections/s";
        /// Least rate for a person far from every line missed by the last detection runs.
        rate_missed_far: f64 = 4.0, 0.01..=240.0, "detections/s";
        /// A person is missed up to this long after they were last detected.
        rate_missed_time: f64 = 0.6, 0.0..=60.0, "s";
        /// Near a line is a person who may be on it within this time.
        rate_near_time: f32 = 0.5, 0.0..=60.0, "s";
        /// Near a line is a person who stands this near to it.
        rate_near: f32 = 0.6, 0.0..=100.0, "body heights";
        /// Taken for the speed of a person just detected: a brisk walk.
        rate_first_speed: f32 = 1.0, 0.0..=100.0, "body heights/s";
        /// Share of an old velocity in a new one: boxes tremble.
        rate_velocity_memory: f32 = 0.5, 0.0..=1.0, "share";
        /// A position is predicted at most this far ahead.
        rate_ahead: f64 = 1.0, 0.0..=60.0, "s";
        /// Motion this near to a line may be somebody who is about to cross it.
        rate_line_zone: f32 = 0.15, 0.0..=10.0, "frame heights";
        /// A person explains the motion around them up to this distance: limbs, bags, shadows.
        rate_reach: f32 = 0.3, 0.0..=100.0, "body heights";
        /// Detection runs may come early by this share of the time between the frames checked.
        rate_early: f64 = 0.5, 0.0..=1.0, "share";
        /// A person who has waited for this share of the time between two runs is detected together with those who are due.
        rate_soon: f64 = 0.7, 0.0..=1.0, "share";
        /// Under overload the rate is reduced, but not below this for a person near a line.
        rate_floor_near: f64 = 4.0, 0.01..=240.0, "detections/s";
        /// Under overload the rate is reduced, but not below this for a person far from every line.
        rate_floor_far: f64 = 2.0, 0.01..=240.0, "detections/s";

        /// What a region shows around a person: they move, and a network judges by what is around as well.
        region_around: f32 = 0.5, 0.0..=100.0, "body heights";
        /// What a region shows around motion that no track explains.
        region_around_motion: f32 = 0.1, 0.0..=10.0, "frame heights";
        /// What a region shows around such motion, of the tallest person known: it may be their feet.
        region_around_feet: f32 = 0.35, 0.0..=100.0, "body heights";
        /// Regions that together cost more than this share of the whole frame are not worth their edges.
        region_most: f32 = 0.75, 0.0..=10.0, "share";
        /// More regions than this are most of the frame, and joining them in pairs takes its time.
        region_count: usize = 24, 1..=1000, "regions";
        /// What a detection run costs besides the area of its input.
        region_overhead: f32 = 2048.0, 0.0..=1e6, "pixels";
        /// Boxes that end this near to the edge of a region may be cut by it.
        region_edge: f32 = 3.0, 0.0..=1000.0, "pixels";
        /// A person who would be cut is taken in with this much around them.
        region_margin: f32 = 0.1, 0.0..=100.0, "body heights";

        /// Sides of the detector's input are multiples of this; other sizes would only add border.
        input_stride: u32 = 32, 1..=1024, "pixels";
        /// Height in the input that people keep. RTMDet-nano finds 94 % of people at 43 pixels, as many as at any larger size, and
        /// 84 % at 30; but a person who is smaller, or half occluded, needs more than the others.
        input_person: f32 = 80.0, 1.0..=2000.0, "pixels";
        /// Smallest share of the frame's width that is ever used.
        input_least: f32 = 0.4, 0.01..=1.0, "share";
        /// Detections before the size of people is known.
        input_sightings: f32 = 20.0, 1.0..=100_000.0, "detections";
        /// Share of the detections that may be of smaller people: the network takes a bin for a person now and then.
        input_outliers: f32 = 0.03, 0.0..=1.0, "share";
        /// Time in which what was detected loses 63 % of its weight.
        input_memory: f64 = 60.0, 0.01..=86_400.0, "s";
        /// Time between detection runs on whole frames.
        input_whole: f64 = 3.0, 0.0..=600.0, "s";
        /// Time between detection runs on whole frames where something moves that no track explains.
        input_whole_searching: f64 = 2.0, 0.0..=600.0, "s";

        /// Share of the walkers that a larger input must show, and the one in use lose, to be used from then on: twice the usual size;
        /// one that costs more must gain more.
        payoff_gain: f32 = 0.1, 0.0..=1.0, "share";
        /// Sightings of walkers that the one in use must have lost before.
        payoff_lost: f32 = 8.0, 0.0..=1000.0, "sightings";
        /// The larger one is given up when the smaller one loses fewer than this.
        payoff_keep: f32 = 0.03, 0.0..=1.0, "share";
        /// Sightings of walkers after which a check is decided.
        payoff_seen: f32 = 50.0, 1.0..=10_000.0, "sightings";
        /// Only people this near to a line decide whether a larger size is tried and pays: nobody else is counted soon. Nearer than
        /// this too few are seen in a crowd to tell.
        payoff_reach: f32 = 1.5, 0.0..=1000.0, "body heights";
        /// Somebody walks who has gone this far.
        payoff_way: f32 = 0.1, 0.0..=100.0, "body heights";
        /// A larger input is tried where half of the people are shorter than this in the one in use.
        payoff_small: f32 = 30.0, 0.0..=2000.0, "pixels";
        /// A larger input is tried as well where this many walkers were lately found with low confidence only. With two the first
        /// seconds of a crowd are sometimes passed over.
        payoff_missed: f32 = 1.0, 0.0..=1000.0, "people";
        /// There must be so many of them for each walker who is tracked.
        payoff_unsure: f32 = 0.8, 0.0..=1000.0, "ratio";
        /// A larger input is tried as well where detection runs do not find this share of the walkers who are tracked.
        payoff_not_found: f32 = 0.6, 0.0..=1.0, "share";
        /// Time between two low-confidence sightings of one person.
        payoff_gap: f64 = 0.5, 0.0..=60.0, "s";
        /// Detection runs of a burst, and of a check at least.
        payoff_runs: u32 = 10, 1..=1000, "detections";
        /// Bursts after which a trial is decided in any case.
        payoff_bursts: u32 = 6, 1..=1000, "bursts";
        /// Time between two bursts.
        payoff_pause: f64 = 1.0, 0.0..=3600.0, "s";
        /// Bursts that may be made before they are paid for.
        payoff_first: f32 = 4.0, 1.0..=100.0, "bursts";
        /// What trials may cost, of what detection costs, and checks as much again.
        payoff_cost: f32 = 0.04, 0.0001..=1.0, "share";
        /// Time after an overload in which only that is done which pays as much as under it.
        payoff_calm: f64 = 60.0, 0.0..=3600.0, "s";
    }
}
