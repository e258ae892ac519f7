use super::*;

const ASPECT: f32 = 1.6;
const HEIGHT: f32 = 0.2;

fn just_started() -> Rate {
    let across = LineConfig { name: "L".into(), a: [0.0, 0.5], b: [1.0, 0.5], anchor: Anchor::Center };
    Rate::new(&[across], ASPECT, CadenceParams::DEFAULT)
}

/// Of a source that began long ago.
fn rate() -> Rate {
    Rate { started: Some(f64::NEG_INFINITY), ..just_started() }
}

fn person(y: f32) -> Track {
    let bbox = BBox::new(0.8, y - HEIGHT / 2.0, HEIGHT / 3.0, HEIGHT);
    Track { id: 1, bbox, score: 0.9, confirmed: true, seen: true, from_flow: false }
}

/// Movement in all of `areas` on a grid of a hundredth of the frame's height.
fn motion(areas: &[BBox]) -> Motion {
    Motion::painted(160, 100, |point| is_in_one(areas, point))
}

/// Detection runs in `seconds` seconds of 30 frames each; `at` gives the middle of the person by time, `moving`
/// whether they are seen to move, `other` what else moves.
fn looks(seconds: u32, share: f64, at: impl Fn(f64) -> Option<f32>, moving: bool, other: &[BBox]) -> usize {
    looks_while(false, seconds, share, at, moving, other)
}

/// The same; `from_flow`: they are found again in every frame without a detection run.
fn looks_while(
    from_flow: bool,
    seconds: u32,
    share: f64,
    at: impl Fn(f64) -> Option<f32>,
    moving: bool,
    other: &[BBox],
) -> usize {
    let (mut rate, mut count, mut next) = (rate(), 0, 0.0);
    for frame in 0..seconds * 30 {
        let time = f64::from(frame) / 30.0;
        if time < next - 1e-3 {
            continue;
        }
        let tracks: Vec<_> = at(time).map(person).into_iter().collect();
        let mut areas = other.to_vec();
        areas.extend(tracks.iter().filter(|_| moving).map(|track| track.bbox));
        if !from_flow {
            rate.lost(|_| true);
        }
        if rate.is_due(time, &motion(&areas), share) {
            count += 1;
            rate.detected(time, &tracks, None);
        } else if from_flow {
            rate.moved(time, &tracks);
        }
        next = time + rate.interval();
    }
    count
}

const NOBODY: fn(f64) -> Option<f32> = |_| None;

#[test]
fn an_empty_still_picture_gets_a_heartbeat() {
    // One more than ten: at 30 frames a second the look comes with the check before the third second is over.
    assert_eq!(looks(30, 1.0, NOBODY, false, &[]), 11);
    // And one every six seconds after that.
    assert_eq!(looks(90, 1.0, NOBODY, false, &[]), 20);
}

#[test]
fn a_standing_person_is_detected_once_a_second() {
    let count = looks(30, 1.0, |_| Some(0.48), false, &[]);
    assert!((28..=36).contains(&count), "{count}");
}

#[test]
fn in_the_first_seconds_full_frames_are_detected_often_while_anybody_is_there() {
    // Detection runs, and those on the full frame, in each of three seconds.
    let looks = |tracks: &[Track], share: f64| {
        let (mut rate, mut counts, mut next) = (just_started(), [(0, 0); 3], 0.0);
        for frame in 0..90 {
            let time = f64::from(frame) / 30.0;
            if time < next - 1e-3 {
                continue;
            }
            if rate.is_due(time, &motion(&[]), share) {
                let (all, whole) = &mut counts[frame as usize / 30];
                *all += 1;
                *whole += usize::from(rate.regions().is_none());
                rate.detected(time, tracks, None);
            }
            next = time + rate.interval();
        }
        counts
    };
    let [first, second, third] = looks(&[person(0.2)], 1.0);
    assert!(first.0 >= 9 && first.0 == first.1, "{first:?}: the first run finds them");
    assert!(second.0 >= 10 && second.0 == second.1, "{second:?}");
    assert!(third.0 <= 3, "{third:?}: they stand");
    assert_eq!(looks(&[], 1.0), [(1, 1), (0, 0), (1, 1)], "nobody is there: the heartbeat");
    let throttled = looks(&[person(0.2)], 0.2)[0];
    assert!((2..=4).contains(&throttled.0), "{throttled:?} under overload");
}

#[test]
fn walkers_are_detected_more_often_near_the_line() {
    // 0.8 body heights a second, to and fro over the line or far from it.
    let swing = |middle: f32| {
        move |time: f64| {
            let phase = (time / 2.0).fract() as f32;
            let way = 0.32 * if ((time / 2.0) as u64).is_multiple_of(2) { phase } else { 1.0 - phase };
            Some(middle - 0.16 + way)
        }
    };
    let (near, far) = (looks(30, 1.0, swing(0.5), true, &[]), looks(30, 1.0, swing(0.88), true, &[]));
    // Not the six a second of a steady walk: they turn every two seconds, and turning is slow.
    assert!((110..=180).contains(&near), "{near} in 30 s near the line");
    assert!((60..=100).contains(&far), "{far} in 30 s far from it");
    let from_flow = looks_while(true, 30, 1.0, swing(0.5), true, &[]);
    assert!((88..=95).contains(&from_flow), "{from_flow} in 30 s near the line, followed");
    let throttled = looks(30, 0.2, swing(0.5), true, &[]);
    assert!((100..=125).contains(&throttled), "{throttled} in 30 s under overload");
}

#[test]
fn a_person_missed_near_the_line_is_searched_again_soon() {
    let mut rate = rate();
    let area = rate.reach(&person(0.5).bbox);
    for i in 0..20 {
        rate.detected(f64::from(i) / 5.0, &[person(0.5)], None);
    }
    rate.lost(|_| true);
    assert!(!rate.is_due(3.88, &motion(&[area]), 1.0));
    rate.detected(4.0, &[Track { seen: false, ..person(0.5) }], None);
    assert!(rate.is_due(4.08, &motion(&[area]), 1.0));
    rate.detected(4.8, &[Track { seen: false, ..person(0.5) }], None);
    assert!(!rate.is_due(4.88, &motion(&[area]), 1.0), "they are gone");
}

#[test]
fn a_person_who_should_have_left_the_frame_is_not_searched() {
    let due_soon = |last: f32| {
        let mut rate = rate();
        for i in 0..20 {
            rate.detected(f64::from(i) / 5.0, &[somebody(1, last - 0.02 * (19 - i) as f32, 0.5)], None);
        }
        let gone = Track { seen: false, ..somebody(1, last + 0.02, 0.5) };
        rate.detected(4.0, &[gone], None);
        rate.lost(|_| true);
        rate.is_due(4.12, &motion(&[gone.bbox]), 1.0)
    };
    assert!(due_soon(ASPECT - 0.1));
    assert!(!due_soon(ASPECT - 0.01));
}

/// A person of identity `id` whose middle is at `x`, `y`.
fn somebody(id: TrackId, x: f32, y: f32) -> Track {
    Track { id, bbox: BBox { x: x - HEIGHT / 6.0, ..person(y).bbox }, ..person(y) }
}

fn holds(areas: &[Region], inside: BBox) -> bool {
    areas.iter().any(|area| area.bbox.intersection(&inside) > 0.99 * inside.area())
}

#[test]
fn a_detection_run_covers_people_who_are_due_or_would_be_lost_without_it() {
    let people = [somebody(1, 0.4, 0.5), somebody(2, 1.2, 0.5), somebody(3, 1.4, 0.9)];
    let motion = motion(&people.map(|person| person.bbox));
    let due_after = |seconds: f64, lost: TrackId| {
        let mut rate = rate();
        rate.detected(10.0, &people, None);
        rate.detected(10.2, &people[..], None);
        // Only the first was in the next look, so the others are due before this one.
        rate.detected(10.3, &people, Some(&[people[0].bbox]));
        rate.lost(|id| id == lost);
        rate.is_due(10.3 + seconds, &motion, 1.0).then(|| rate.regions().map(<[Region]>::to_vec)).flatten()
    };
    let shows = |areas: Vec<Region>| people.map(|person| holds(&areas, person.bbox.grown(HEIGHT * 0.49)));
    assert_eq!(due_after(0.05, 0), None);
    assert_eq!(due_after(0.2, 0).map(shows), Some([false, true, true]));
    assert_eq!(due_after(0.2, 1).map(shows), Some([true, true, true]));
    let smallest: Vec<f32> = due_after(0.2, 0).unwrap().iter().map(|area| area.smallest).collect();
    assert_eq!(smallest, [HEIGHT, HEIGHT], "each has a region of their own");
}

#[test]
fn a_search_covers_all_motion_and_in_turn_the_full_frame() {
    let mut rate = rate();
    rate.detected(10.0, &[], None);
    let (one, other) = (BBox::new(0.3, 0.4, 0.1, 0.2), BBox::new(1.2, 0.3, 0.1, 0.1));
    let (still, moves) = (motion(&[]), motion(&[one, other]));
    assert!(rate.is_due(11.0, &moves, 1.0));
    let areas = rate.regions().unwrap().to_vec();
    assert!(areas.len() == 2 && holds(&areas, one) && holds(&areas, other), "{areas:?}");
    assert!(areas.iter().all(|area| area.smallest == 0.0), "nobody knows how small they are");
    let shown: Vec<BBox> = areas.iter().map(|area| area.bbox).collect();
    rate.detected(11.0, &[], Some(&shown));
    assert!(!rate.is_due(11.05, &moves, 1.0), "searched just now");
    rate.is_due(12.5, &still, 1.0);
    rate.detected(12.5, &[], Some(&shown));
    assert!(rate.is_due(13.0, &still, 1.0), "three seconds after the last whole look");
    assert_eq!(rate.regions(), None);
}

#[test]
fn a_person_who_left_unseen_does_not_cause_a_detection_run_on_every_frame() {
    let mut rate = rate();
    let gone = Track { seen: false, ..somebody(1, -0.3, 0.5) };
    rate.detected(10.0, &[gone], None);
    let area = BBox::new(0.0, 0.3, 0.3, 0.4);
    assert!(rate.is_due(11.0, &motion(&[]), 1.0));
    rate.detected(11.0, &[gone], Some(&[area]));
    assert!(!rate.is_due(11.05, &motion(&[]), 1.0));
}

#[test]
fn motion_that_is_never_a_person_is_detected_less_and_less_often() {
    let tree = BBox::new(0.2, 0.45, 0.1, 0.1);
    let count = looks(30, 1.0, NOBODY, false, &[tree]);
    assert!((40..=60).contains(&count), "{count}");
}

#[test]
fn motion_that_may_be_a_person_stays_detected() {
    let moving = BBox::new(0.2, 0.45, 0.1, 0.1);
    let looks = |known: &[Track], doubted: Option<BBox>| {
        let (mut rate, mut count, mut next) = (rate(), 0, 0.0);
        for i in 0..900 {
            let time = f64::from(i) / 30.0;
            if time < next - 1e-3 {
                continue;
            }
            if rate.is_due(time, &motion(&[moving]), 1.0) {
                rate.low_confidence(doubted.into_iter().collect());
                rate.detected(time, known, None);
                count += 1;
            }
            next = time + rate.interval();
        }
        count
    };
    assert!((40..=60).contains(&looks(&[], None)), "{}", looks(&[], None));
    assert!((140..=155).contains(&looks(&[], Some(moving))), "{}", looks(&[], Some(moving)));
    let known = somebody(1, 1.2, 0.5);
    assert_eq!(looks(&[known], Some(known.bbox)), looks(&[known], None), "a tracked person is no birth");
    assert_eq!(looks(&[], Some(BBox::new(0.2, 0.0, 0.1, 0.1))), looks(&[], None), "far from the line");
}

#[test]
fn occasional_motion_does_not_delay_the_search_for_the_next_new_person() {
    let shadow = motion(&[BBox::new(0.2, 0.45, 0.1, 0.1)]);
    let mut rate = rate();
    for i in 0..20 {
        let time = 10.0 + f64::from(i) * 0.9;
        assert!(rate.is_due(time, &shadow, 1.0));
        rate.detected(time, &[], None);
    }
    // The first detection run there found nothing.
    assert!(rate.is_due(28.0, &shadow, 1.0));
    rate.detected(28.0, &[], None);
    assert!(rate.is_due(28.2, &shadow, 1.0));
}

#[test]
fn a_new_person_is_searched_at_once() {
    let mut rate = rate();
    assert!(rate.is_due(0.0, &motion(&[]), 1.0));
    rate.detected(0.0, &[], None);
    assert!(!rate.is_due(1.0, &motion(&[]), 1.0));
    assert!(rate.is_due(1.2, &motion(&[BBox::new(0.1, 0.1, 0.1, 0.2)]), 1.0));
    assert!(rate.is_searching());
}
