use super::*;

/// An output of `rows` x `columns` in which no row passes, with `set` applied to row `at`.
fn tensor(rows: usize, columns: usize, quiet: f32, at: usize, set: &[f32]) -> Vec<f32> {
    let mut data = vec![quiet; rows * columns];
    data[at * columns..at * columns + set.len()].copy_from_slice(set);
    data
}

fn decoded(format: ModelFormat, columns: usize, data: &[f32], input: (u32, u32)) -> Vec<Candidate> {
    let mut out = Vec::new();
    let shape = [1, (data.len() / columns) as i64, columns as i64];
    decode(format, &shape, data, input, SCORE_FLOOR, &mut out).unwrap();
    out
}

#[track_caller]
fn assert_box(found: &Candidate, score: f32, corners: [f32; 4]) {
    assert!((found.score - score).abs() < 1e-4, "{found:?}");
    let got = [found.x1, found.y1, found.x2, found.y2];
    assert!(got.iter().zip(corners).all(|(a, b)| (a - b).abs() < 1e-2), "{got:?} != {corners:?}");
}

// 64 x 32: 8x4 + 4x2 + 2x1 = 42 cells.
const SMALL: (u32, u32) = (64, 32);

#[test]
fn rtmdet_rows_are_distances_from_the_corner_of_the_cell() {
    // Row 32 + 5 is cell (1, 1) of stride 16.
    let data = tensor(42, 5, -9.0, 37, &[0.0, 4.0, 10.0, 6.0, 12.0]);
    let found = decoded(ModelFormat::Rtmdet, 5, &data, SMALL);
    assert_eq!(found.len(), 1);
    assert_box(&found[0], 0.5, [12.0, 6.0, 22.0, 28.0]);
}

#[test]
fn yolox_rows_are_centre_and_log_size_and_the_first_class_counts() {
    // Row 40 + 1 is cell (1, 0) of stride 32; three classes.
    let data = tensor(42, 8, 0.0, 41, &[0.5, 0.25, 0.0, 2f32.ln(), 0.9, 0.8, 1.0, 1.0]);
    let found = decoded(ModelFormat::Yolox, 8, &data, SMALL);
    assert_eq!(found.len(), 1);
    assert_box(&found[0], 0.72, [32.0, -24.0, 64.0, 40.0]);
}

#[test]
fn ssd_rows_move_and_stretch_their_prior() {
    // Second level starts at 1024; cell (2, 1) of 8 x 8, prior 3 of 5.
    let at = 1024 + (8 + 2) * 5 + 3;
    let data = tensor(1344, 6, 0.0, at, &[1.0, -1.0, 0.0, 5.0 * 2f32.ln(), 3.0, 1.0]);
    let mut data = data;
    for (i, row) in data.chunks_exact_mut(6).enumerate() {
        if i != at {
            row[5] = 9.0;
        }
    }
    let found = decoded(ModelFormat::SsdPrior, 6, &data, (256, 256));
    assert_eq!(found.len(), 1);
    let (w, h) = (41.468, 163.483);
    let (cx, cy) = (80.0 + 0.1 * w, 48.0 - 0.1 * h);
    assert_box(&found[0], 0.880_797, [cx - w / 2.0, cy - h, cx + w / 2.0, cy + h]);
}

#[test]
fn caffe_rows_count_only_class_15_and_are_fractions_of_the_input() {
    let data = [
        [0.0, 15.0, 0.9, 0.25, 0.5, 0.5, 1.0],
        [0.0, 7.0, 0.9, 0.25, 0.5, 0.5, 1.0],
        [0.0, 15.0, 0.05, 0.25, 0.5, 0.5, 1.0],
    ]
    .concat();
    let mut out = Vec::new();
    decode(ModelFormat::CaffeSsd, &[1, 1, 3, 7], &data, (300, 300), SCORE_FLOOR, &mut out).unwrap();
    assert_eq!(out.len(), 1);
    assert_box(&out[0], 0.9, [75.0, 150.0, 150.0, 300.0]);
    // A frame without anybody: OpenCV gives an output without rows.
    decode(ModelFormat::CaffeSsd, &[1, 1, 0, 7], &[], (300, 300), SCORE_FLOOR, &mut out).unwrap();
    assert_eq!(out.len(), 1);
}

#[test]
fn the_floor_is_inclusive_of_low_scores_and_exclusive_of_noise() {
    for (score, kept) in [(0.099, 0), (0.101, 1), (0.999, 1)] {
        let data = tensor(42, 5, -9.0, 0, &[logit(score), 0.0, 0.0, 5.0, 5.0]);
        assert_eq!(decoded(ModelFormat::Rtmdet, 5, &data, SMALL).len(), kept, "{score}");
    }
}

#[test]
fn numbers_that_are_none_make_no_boxes() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let data = vec![bad; 42 * 5];
        assert_eq!(decoded(ModelFormat::Rtmdet, 5, &data, SMALL), [], "{bad}");
        let data = tensor(42, 5, -9.0, 3, &[2.0, bad, bad, bad, bad]);
        assert_eq!(decoded(ModelFormat::Rtmdet, 5, &data, SMALL), [], "{bad}");
        let data = vec![bad; 42 * 6];
        assert_eq!(decoded(ModelFormat::Yolox, 6, &data, SMALL), [], "{bad}");
        let data = vec![bad; 1344 * 6];
        assert_eq!(decoded(ModelFormat::SsdPrior, 6, &data, (256, 256)), [], "{bad}");
    }
}

#[test]
fn another_shape_is_refused_with_the_one_expected() {
    let mut out = Vec::new();
    let wrong = decode(ModelFormat::Rtmdet, &[1, 42, 6], &[0.0; 252], SMALL, 0.1, &mut out);
    assert_eq!(
        wrong.unwrap_err(),
        "its output for a 64x32 input is [1, 42, 6], but the format has [1, 42, 5]"
    );
    let wrong = decode(ModelFormat::Yolox, &[1, 10, 85], &[0.0; 850], SMALL, 0.1, &mut out);
    assert_eq!(
        wrong.unwrap_err(),
        "its output for a 64x32 input is [1, 10, 85], but the format has [1, 42, 6 or more]"
    );
    // A shape that promises more than there is.
    assert!(decode(ModelFormat::CaffeSsd, &[1, 1, 3, 7], &[0.0; 7], SMALL, 0.1, &mut out).is_err());
    assert!(decode(ModelFormat::SsdPrior, &[], &[], SMALL, 0.1, &mut out).is_err());
    assert_eq!(out, []);
}
