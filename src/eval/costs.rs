//! What adaptive detection costs, told without a clock: how much of a frame the detector was given.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    detect::{DetectError, Detector, Model, ModelInfo},
    model::Detection,
    source::Frame,
};

/// Sums over the detection runs of one scene.
#[derive(Debug, Default)]
pub struct Tally {
    runs: AtomicU64,
    pixels: AtomicU64,
}

/// What a scene cost.
#[derive(Debug, Clone)]
pub struct Costs {
    pub scene: String,
    /// Detection runs.
    pub runs: u64,
    /// The area that they covered, in frames of the detector's usual size.
    pub pictures: f64,
    /// Length of the clip.
    pub seconds: f64,
}

impl Tally {
    /// The sums so far, where usual frames are of `usual` (width, height) pixels.
    pub fn costs(&self, scene: &str, usual: (u32, u32), seconds: f64) -> Costs {
        let usual = f64::from(usual.0) * f64::from(usual.1);
        let pictures = self.pixels.load(Ordering::Relaxed) as f64 / usual.max(1.0);
        Costs { scene: scene.to_owned(), runs: self.runs.load(Ordering::Relaxed), pictures, seconds }
    }
}

/// A model whose detection runs are tallied.
pub struct Tallied {
    pub model: Arc<dyn Model>,
    pub tally: Arc<Tally>,
}

struct TalliedDetector {
    detector: Box<dyn Detector>,
    tally: Arc<Tally>,
}

impl Model for Tallied {
    fn info(&self) -> &ModelInfo {
        self.model.info()
    }
    fn working_size(&self, width: u32, height: u32) -> (u32, u32) {
        self.model.working_size(width, height)
    }
    fn gains_from_reduction(&self) -> bool {
        self.model.gains_from_reduction()
    }
    fn needs_steady_rate(&self) -> bool {
        self.model.needs_steady_rate()
    }
    fn detector(&self) -> Box<dyn Detector> {
        Box::new(TalliedDetector { detector: self.model.detector(), tally: Arc::clone(&self.tally) })
    }
}

impl Detector for TalliedDetector {
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let (width, height) = frame.picture.size();
        self.tally.runs.fetch_add(1, Ordering::Relaxed);
        self.tally.pixels.fetch_add(u64::from(width) * u64::from(height), Ordering::Relaxed);
        self.detector.detect(frame)
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, Mat, Scalar};

    use super::*;
    use crate::source::image::FrameImage;

    struct Blind(ModelInfo);

    impl Model for Blind {
        fn info(&self) -> &ModelInfo {
            &self.0
        }
        fn working_size(&self, _: u32, _: u32) -> (u32, u32) {
            (40, 20)
        }
        fn detector(&self) -> Box<dyn Detector> {
            Box::new(Self(self.0.clone()))
        }
    }

    impl Detector for Blind {
        fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn pictures_of_other_sizes_count_by_their_area() {
        let (name, engine) = ("blind".to_owned(), "test".to_owned());
        let model = Arc::new(Blind(ModelInfo { name, engine, confidence: 0.4, note: None }));
        let tally = Arc::<Tally>::default();
        let mut detector = Tallied { model, tally: Arc::clone(&tally) }.detector();
        for (width, height) in [(40, 20), (20, 10), (80, 40)] {
            let picture = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(0.0)).unwrap();
            let frame = Frame {
                picture: FrameImage::ready(picture),
                index: 0,
                time: 0.0,
                captured: std::time::Instant::now(),
                stream_size: (40, 20),
                last: false,
            };
            detector.detect(&frame).unwrap();
        }
        let costs = tally.costs("lobby", (40, 20), 2.0);
        assert_eq!((costs.runs, costs.pictures, costs.seconds), (3, 1.0 + 0.25 + 4.0, 2.0));
    }
}
