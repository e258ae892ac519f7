//! Non-maximum suppression: of boxes that cover each other, only the best is kept.

use super::formats::Candidate;

/// Candidates considered, best first. With a floor of 0.1 a crowd gives a few hundred; this bounds the work on
/// a frame (or a model) gone wild.
const MAX_CANDIDATES: usize = 1000;

/// Boxes kept at most, so that the work stays below `MAX_CANDIDATES * MAX_KEPT` comparisons.
pub(super) const MAX_KEPT: usize = 300;

/// Keeps, from best to worst, each candidate whose intersection over union with every better one kept is at
/// most `max_iou`. `candidates` holds the survivors afterwards, best first, at most [`MAX_KEPT`].
pub(super) fn suppress(candidates: &mut Vec<Candidate>, max_iou: f32) {
    let best_first = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score);
    if candidates.len() > MAX_CANDIDATES {
        candidates.select_nth_unstable_by(MAX_CANDIDATES, best_first);
        candidates.truncate(MAX_CANDIDATES);
    }
    candidates.sort_unstable_by(|a, b| {
        // A total order, so that equal scores give the same result on every run.
        best_first(a, b).then(a.x1.total_cmp(&b.x1)).then(a.y1.total_cmp(&b.y1))
    });
    let mut kept = 0;
    for next in 0..candidates.len() {
        if kept == MAX_KEPT {
            break;
        }
        let candidate = candidates[next];
        if candidates[..kept].iter().all(|better| better.iou(&candidate) <= max_iou) {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_candidate() -> impl Strategy<Value = Candidate> {
        (0.0f32..400.0, 0.0f32..300.0, 1.0f32..80.0, 1.0f32..160.0, 0.0f32..1.0)
            .prop_map(|(x, y, w, h, score)| Candidate { x1: x, y1: y, x2: x + w, y2: y + h, score })
    }

    proptest! {
        #[test]
        fn survivors_are_some_of_the_input_and_none_covers_another(
            input in prop::collection::vec(any_candidate(), 0..200), max_iou in 0.1f32..0.9,
        ) {
            let mut kept = input.clone();
            suppress(&mut kept, max_iou);
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(input.contains(a));
                for b in &kept[..i] {
                    prop_assert!(b.score >= a.score);
                    prop_assert!(b.iou(a) <= max_iou);
                }
            }
            // Whatever was dropped is covered by something better.
            for dropped in input.iter().filter(|c| !kept.contains(c)) {
                prop_assert!(kept.iter().any(|k| k.score >= dropped.score && k.iou(dropped) > max_iou));
            }
        }

        #[test]
        fn order_of_the_input_does_not_matter(mut input in prop::collection::vec(any_candidate(), 0..60)) {
            let mut forwards = input.clone();
            suppress(&mut forwards, 0.5);
            input.reverse();
            suppress(&mut input, 0.5);
            prop_assert_eq!(forwards, input);
        }
    }

    #[test]
    fn a_flood_of_boxes_is_bounded() {
        let mut flood: Vec<_> = (0..50_000)
            .map(|i| {
                let x = (i % 250) as f32 * 10.0;
                let y = (i / 250) as f32 * 10.0;
                Candidate { x1: x, y1: y, x2: x + 5.0, y2: y + 5.0, score: i as f32 / 50_000.0 }
            })
            .collect();
        suppress(&mut flood, 0.5);
        assert_eq!(flood.len(), MAX_KEPT);
        assert!(flood[0].score > 0.999, "the best one is kept");
    }
}
