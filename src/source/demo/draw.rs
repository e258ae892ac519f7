//! Paints a scene: textured floor, noise, passing clouds, and people made of a head, a body and limbs.

use opencv::{
    core::{self, Mat, MatTraitConst as _, Point, Rect, Scalar, Size, Vec3b, Vector},
    imgproc,
};

use super::{random::Random, walkers::Figure};
use crate::config::{DemoScene, DemoSpec};

/// Fraction bits of drawing coordinates.
const SHIFT: i32 = 4;
/// Largest noise of a pixel, in gray levels to both sides.
const NOISE: u8 = 4;
/// Width and height by which the noise frame is larger than the frame, so that it can be shifted about.
const NOISE_ROOM: i32 = 64;

/// Colors of blue, green, red.
type Color = [f64; 3];

/// Tops and dresses: none is a darker shade of a floor, as a shadow is.
const TOPS: [Color; 9] = [
    [45.0, 40.0, 190.0],
    [190.0, 95.0, 30.0],
    [45.0, 195.0, 225.0],
    [50.0, 130.0, 35.0],
    [130.0, 40.0, 120.0],
    [240.0, 240.0, 240.0],
    [35.0, 32.0, 30.0],
    [90.0, 30.0, 20.0],
    [30.0, 120.0, 235.0],
];
const TROUSERS: [Color; 5] =
    [[75.0, 35.0, 25.0], [30.0, 28.0, 28.0], [25.0, 50.0, 85.0], [150.0, 80.0, 35.0], [35.0, 40.0, 45.0]];
const SKINS: [Color; 4] =
    [[150.0, 180.0, 225.0], [110.0, 145.0, 200.0], [70.0, 105.0, 160.0], [40.0, 60.0, 95.0]];
const HAIRS: [Color; 4] = [[25.0, 25.0, 30.0], [30.0, 55.0, 90.0], [70.0, 130.0, 180.0], [25.0, 40.0, 55.0]];

/// How the ground of a scene looks.
struct Ground {
    floor: Color,
    /// Lines between tiles or boards.
    joint: Color,
    /// Spacing of the joints at the lower edge, in frame heights.
    tile: f64,
    /// How far brightness swings as clouds pass, as part of 1.
    drift: f64,
}

fn ground(scene: DemoScene) -> Ground {
    match scene {
        DemoScene::Lobby => {
            Ground { floor: [162.0, 170.0, 176.0], joint: [140.0, 148.0, 154.0], tile: 0.22, drift: 0.0 }
        }
        DemoScene::Street => {
            Ground { floor: [118.0, 116.0, 114.0], joint: [108.0, 106.0, 104.0], tile: 0.50, drift: 0.10 }
        }
        DemoScene::Corridor => {
            Ground { floor: [128.0, 142.0, 150.0], joint: [116.0, 128.0, 136.0], tile: 0.16, drift: 0.0 }
        }
        DemoScene::Plaza => {
            Ground { floor: [138.0, 152.0, 164.0], joint: [118.0, 132.0, 142.0], tile: 0.14, drift: 0.06 }
        }
    }
}

/// Paints the frames of one scene.
pub struct Painter {
    background: Mat,
    noise: Mat,
    ground: Ground,
    seed: u64,
}

impl Painter {
    /// Paints the empty scene once.
    pub fn new(spec: &DemoSpec) -> opencv::Result<Self> {
        let (width, height) = (spec.size.0 as i32, spec.size.1 as i32);
        let mut random = Random::new(spec.seed ^ 0x5EED_0F7E);
        let ground = ground(spec.scene);
        Ok(Self {
            background: empty_scene(spec.scene, &ground, width, height, &mut random)?,
            noise: speckle(width + NOISE_ROOM, height + NOISE_ROOM, 2 * NOISE, &mut random)?,
            ground,
            seed: spec.seed,
        })
    }

    /// Frame `index` at `time` seconds.
    pub fn paint(&self, index: u64, time: f64, figures: &[Figure]) -> opencv::Result<Mat> {
        let mut random = Random::new(self.seed ^ index.wrapping_mul(0xA24B_AED4_963E_E407));
        let shift = |random: &mut Random| random.index(NOISE_ROOM as usize) as i32;
        let room =
            Rect::new(shift(&mut random), shift(&mut random), self.background.cols(), self.background.rows());
        let noise = self.noise.roi(room)?;
        // One cloud takes about a minute.
        let light = 1.0 + self.ground.drift * (time * std::f64::consts::TAU / 55.0).sin();
        let mut frame = Mat::default();
        core::add_weighted(&self.background, light, &noise, 1.0, -f64::from(NOISE), &mut frame, -1)?;
        for figure in figures {
            Figurine::new(figure, &frame).paint(&mut frame, &self.ground, light)?;
        }
        Ok(frame)
    }
}

/// Random gray levels below `limit` in three channels.
fn speckle(width: i32, height: i32, limit: u8, random: &mut Random) -> opencv::Result<Mat> {
    let pixels: Vec<Vec3b> = (0..width * height)
        .map(|_| {
            let bits = random.bits().to_le_bytes();
            Vec3b::from([bits[0], bits[1], bits[2]].map(|byte| byte % (limit + 1)))
        })
        .collect();
    Mat::new_rows_cols_with_data(height, width, &pixels)?.try_clone()
}

fn empty_scene(
    scene: DemoScene,
    ground: &Ground,
    width: i32,
    height: i32,
    random: &mut Random,
) -> opencv::Result<Mat> {
    let mut picture =
        Mat::new_rows_cols_with_default(height, width, core::CV_8UC3, scalar(ground.floor, 1.0))?;
    joints(&mut picture, ground)?;
    match scene {
        DemoScene::Street => zebra(&mut picture)?,
        DemoScene::Corridor => walls(&mut picture)?,
        DemoScene::Lobby | DemoScene::Plaza => {}
    }
    // Large, soft stains under fine grain.
    let (columns, rows) = ((width / 24).max(2), (height / 24).max(2));
    let mut coarse = Mat::default();
    imgproc::cvt_color_def(&speckle(columns, rows, 24, random)?, &mut coarse, imgproc::COLOR_BGR2GRAY)?;
    imgproc::cvt_color_def(&coarse.clone(), &mut coarse, imgproc::COLOR_GRAY2BGR)?;
    let mut stains = Mat::default();
    imgproc::resize(&coarse, &mut stains, Size::new(width, height), 0.0, 0.0, imgproc::INTER_CUBIC)?;
    let grain = speckle(width, height, 10, random)?;
    let mut stained = Mat::default();
    core::add_weighted(&picture, 1.0, &stains, 1.0, -12.0, &mut stained, -1)?;
    core::add_weighted(&stained, 1.0, &grain, 1.0, -5.0, &mut picture, -1)?;
    Ok(picture)
}

/// The joints of a tiled floor: level ones that draw together upwards, and others that run to a vanishing
/// point far above the frame.
fn joints(picture: &mut Mat, ground: &Ground) -> opencv::Result<()> {
    let (width, height) = (f64::from(picture.cols()), f64::from(picture.rows()));
    let color = scalar(ground.joint, 1.0);
    let thickness = (height / 240.0).round().max(1.0) as i32;
    let mut y = 1.0;
    while y > 0.0 {
        let level = (y * height) as i32;
        imgproc::line(
            picture,
            Point::new(0, level),
            Point::new(width as i32, level),
            color,
            thickness,
            imgproc::LINE_8,
            0,
        )?;
        y -= ground.tile * (0.45 + 0.55 * y);
    }
    let half = (width / height / ground.tile).ceil() as i32;
    for index in -half..=half {
        let offset = (f64::from(index) + 0.5) * ground.tile * height;
        let bottom = Point::new((width / 2.0 + offset) as i32, height as i32);
        let top = Point::new((width / 2.0 + offset * 0.6) as i32, 0);
        imgproc::line(picture, bottom, top, color, thickness, imgproc::LINE_8, 0)?;
    }
    Ok(())
}

/// A pedestrian crossing between two kerbs.
fn zebra(picture: &mut Mat) -> opencv::Result<()> {
    let (width, height) = (picture.cols(), picture.rows());
    for foot in [0.33, 0.84] {
        let kerb = Rect::new(0, (foot * f64::from(height)) as i32, width, (height / 90).max(1));
        imgproc::rectangle(
            picture,
            kerb,
            scalar([168.0, 172.0, 175.0], 1.0),
            imgproc::FILLED,
            imgproc::LINE_8,
            0,
        )?;
    }
    let stripe = (width / 26).max(2);
    let (top, bottom) = ((0.36 * f64::from(height)) as i32, (0.82 * f64::from(height)) as i32);
    let mut x = width * 2 / 10;
    while x < width * 8 / 10 {
        let bar = Rect::new(x, top, stripe, bottom - top);
        imgproc::rectangle(
            picture,
            bar,
            scalar([176.0, 178.0, 180.0], 1.0),
            imgproc::FILLED,
            imgproc::LINE_8,
            0,
        )?;
        x += 2 * stripe;
    }
    Ok(())
}

/// The walls on both sides of a corridor.
fn walls(picture: &mut Mat) -> opencv::Result<()> {
    let (width, height) = (f64::from(picture.cols()), f64::from(picture.rows()));
    for side in [-1.0, 1.0] {
        let at = |part: f64, y: f64| Point::new((width * (0.5 + side * part)) as i32, (height * y) as i32);
        let corners =
            Vector::<Point>::from_slice(&[at(0.20, 0.0), at(0.32, 1.0), at(0.51, 1.0), at(0.51, 0.0)]);
        imgproc::fill_convex_poly(picture, &corners, scalar([186.0, 192.0, 196.0], 1.0), imgproc::LINE_8, 0)?;
    }
    Ok(())
}

fn scalar(color: Color, light: f64) -> Scalar {
    Scalar::new(color[0] * light, color[1] * light, color[2] * light, 0.0)
}

/// One person about to be painted: coordinates are in body heights, from the middle of the crown, y down.
struct Figurine<'a> {
    figure: &'a Figure,
    /// Pixels in a body height.
    scale: f64,
    /// Crown, in pixels.
    crown: (f64, f64),
}

impl<'a> Figurine<'a> {
    fn new(figure: &'a Figure, frame: &Mat) -> Self {
        let height = f64::from(frame.rows());
        let head = figure.bbox.head();
        Self {
            figure,
            scale: f64::from(figure.bbox.h) * height,
            crown: (f64::from(head.x) * height, f64::from(head.y) * height),
        }
    }

    fn paint(&self, frame: &mut Mat, ground: &Ground, light: f64) -> opencv::Result<()> {
        let mut look = Random::new(self.figure.look);
        let mut pick = |colors: &[Color]| scalar(colors[look.index(colors.len())], light);
        let (top, trousers, skin, hair) = (pick(&TOPS), pick(&TROUSERS), pick(&SKINS), pick(&HAIRS));
        let shoes = scalar([30.0, 30.0, 35.0], light);

        self.disc(frame, (0.0, 0.985), (0.17, 0.03), scalar(ground.floor, light * 0.7))?;
        // A step is about 0.4 body heights long, so a pair of them 0.8.
        let height = f64::from(self.figure.bbox.h).max(0.01);
        let phase = self.figure.walked / height / 0.8 * std::f64::consts::TAU;
        let stride = if self.figure.moving { phase.sin() } else { 0.0 };
        let (aside, ahead) = (f64::from(self.figure.heading.x).abs(), f64::from(self.figure.heading.y).abs());
        for side in [-1.0, 1.0] {
            let swing = side * stride;
            let foot = (side * 0.065 + swing * 0.09 * aside, 0.965 - 0.06 * ahead * swing.max(0.0));
            self.limb(frame, (side * 0.06, 0.50), foot, (0.060, 0.042), trousers)?;
            self.disc(frame, (foot.0, foot.1 + 0.01), (0.048, 0.025), shoes)?;
        }
        let body =
            [(-0.07, 0.155), (0.07, 0.155), (0.15, 0.20), (0.115, 0.55), (-0.115, 0.55), (-0.15, 0.20)];
        self.polygon(frame, &body, top)?;
        for side in [-1.0, 1.0] {
            let swing = -side * stride;
            let hand = (side * 0.165 + swing * 0.02 * aside, 0.52 - 0.03 * ahead * swing.max(0.0));
            self.limb(frame, (side * 0.14, 0.21), hand, (0.034, 0.026), top)?;
            self.disc(frame, hand, (0.028, 0.03), skin)?;
        }
        self.disc(frame, (0.0, 0.09), (0.066, 0.085), skin)?;
        self.disc(frame, (0.0, 0.055), (0.068, 0.055), hair)
    }

    fn at(&self, (x, y): (f64, f64)) -> Point {
        let fixed = |value: f64| (value * f64::from(1 << SHIFT)).round() as i32;
        Point::new(fixed(self.crown.0 + x * self.scale), fixed(self.crown.1 + y * self.scale))
    }

    fn polygon(&self, frame: &mut Mat, corners: &[(f64, f64)], color: Scalar) -> opencv::Result<()> {
        let corners: Vector<Point> = corners.iter().map(|&corner| self.at(corner)).collect();
        imgproc::fill_convex_poly(frame, &corners, color, imgproc::LINE_AA, SHIFT)
    }

    /// A limb from `a` to `b`, with half its width at both ends.
    fn limb(
        &self,
        frame: &mut Mat,
        a: (f64, f64),
        b: (f64, f64),
        half: (f64, f64),
        color: Scalar,
    ) -> opencv::Result<()> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy).max(1e-6);
        let (nx, ny) = (-dy / length, dx / length);
        let corners = [
            (a.0 + nx * half.0, a.1 + ny * half.0),
            (a.0 - nx * half.0, a.1 - ny * half.0),
            (b.0 - nx * half.1, b.1 - ny * half.1),
            (b.0 + nx * half.1, b.1 + ny * half.1),
        ];
        self.polygon(frame, &corners, color)
    }

    fn disc(
        &self,
        frame: &mut Mat,
        center: (f64, f64),
        radii: (f64, f64),
        color: Scalar,
    ) -> opencv::Result<()> {
        // A polygon: OpenCV's own ellipse with fractions of pixels costs several times as much.
        const CORNERS: usize = 12;
        let corners: [(f64, f64); CORNERS] = std::array::from_fn(|index| {
            let (sin, cos) = (index as f64 / CORNERS as f64 * std::f64::consts::TAU).sin_cos();
            (center.0 + cos * radii.0, center.1 + sin * radii.1)
        });
        self.polygon(frame, &corners, color)
    }
}
