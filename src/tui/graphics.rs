//! Real pixels for terminals that can show them: Kitty's protocol, iTerm2's, Sixel.
//!
//! Which one is told by the environment alone. Asking the terminal would mean to read its answer from where the
//! keys come from, to wait two seconds wherever there is none, and to lose keys that are typed meanwhile. Inside
//! tmux and screen, and without colors, pictures are half blocks.

use image::{DynamicImage, Rgb, RgbImage, imageops};
use ratatui::{
    buffer::Buffer,
    layout::{Rect, Size},
    widgets::Widget,
};
use ratatui_image::{
    Image,
    protocol::{Protocol, iterm2::Iterm2, kitty::Kitty, sixel::Sixel},
};

use super::widgets::picture::{Overlay, fitted};
use crate::{
    geometry::Point,
    model::{LineConfig, Moment, Polygon, Preview, ZoneConfig},
};

/// Most pixels of a picture: once a second, and Sixel takes the time of a frame for twice as many.
const MOST_PIXELS: f32 = 640.0 * 480.0;

/// Size of a cell in pixels where the terminal does not tell it.
const USUAL_CELL: (u16, u16) = (10, 20);

const BOX: Rgb<u8> = Rgb([80, 200, 210]);
const LOST_BOX: Rgb<u8> = Rgb([150, 150, 150]);
const LINE: Rgb<u8> = Rgb([240, 170, 60]);
const INWARD: Rgb<u8> = Rgb([80, 230, 120]);
const ZONE: Rgb<u8> = Rgb([190, 130, 255]);
const IGNORED: Rgb<u8> = Rgb([235, 80, 80]);
const TRAIL: Rgb<u8> = Rgb([60, 150, 160]);

/// Pixels from one stroke of the hatching to the next, and of a stroke.
const HATCHING: (u32, u32) = (14, 2);

/// What a terminal takes pictures in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Kitty, Ghostty.
    Kitty,
    /// iTerm2, `WezTerm`, Konsole, mintty.
    Iterm2,
    /// foot, mlterm, Contour, xterm with `-ti vt340`.
    Sixel,
}

/// What the user asked for with `--graphics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphicsChoice {
    /// By the environment.
    #[default]
    Auto,
    /// Exactly this, or half blocks.
    Fixed(Option<Kind>),
}

impl GraphicsChoice {
    /// The choice that a user wrote.
    ///
    /// # Errors
    /// A sentence that names what can be written.
    pub fn parse_cli(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "none" | "never" => Self::Fixed(None),
            "kitty" => Self::Fixed(Some(Kind::Kitty)),
            "iterm2" => Self::Fixed(Some(Kind::Iterm2)),
            "sixel" => Self::Fixed(Some(Kind::Sixel)),
            _ => return Err(format!("'{text}' is not one of auto, none, kitty, iterm2, sixel")),
        })
    }

    /// The protocol to use; `variable` reads the environment. `None` means half blocks.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Option<Kind> {
        if let Self::Fixed(kind) = self {
            return kind;
        }
        let get = |name: &str| variable(name).unwrap_or_default();
        let set = |name: &str| !get(name).is_empty();
        let (term, program) = (get("TERM"), get("TERM_PROGRAM"));
        if set("TMUX") || term.starts_with("tmux") || term.starts_with("screen") {
            None
        } else if term.contains("kitty") || term.contains("ghostty") || program == "ghostty" {
            Some(Kind::Kitty)
        } else if ["iTerm.app", "WezTerm", "mintty"].contains(&program.as_str())
            || get("LC_TERMINAL").contains("iTerm")
            || set("KONSOLE_VERSION")
        {
            Some(Kind::Iterm2)
        } else if ["foot", "mlterm", "contour", "yaft"].iter().any(|name| term.starts_with(name)) {
            Some(Kind::Sixel)
        } else {
            None
        }
    }
}

/// What a drawn picture was made of; another one has to be made only when this differs.
#[derive(Debug, Clone, PartialEq)]
struct Made {
    taken: Moment,
    area: Rect,
    lines: Vec<LineConfig>,
    zones: Vec<ZoneConfig>,
    ignored: Vec<Polygon>,
}

/// Makes pictures for one terminal.
pub struct Graphics {
    kind: Kind,
    /// Width and height of a cell in pixels.
    cell: (u16, u16),
    /// Kitty keeps pictures by number; two take turns, so that the old one stands until the new one is there.
    number: u32,
    last: Option<(Made, Protocol)>,
}

impl Graphics {
    /// For a terminal with cells of `cell` pixels.
    #[must_use]
    pub fn new(kind: Kind, cell: (u16, u16)) -> Self {
        Self { kind, cell, number: 0, last: None }
    }

    /// For the terminal of this process.
    #[must_use]
    pub fn of_terminal(kind: Kind) -> Self {
        let cell = crossterm::terminal::window_size()
            .ok()
            .filter(|size| size.width > 0 && size.height > 0 && size.columns > 0 && size.rows > 0)
            .map(|size| (size.width / size.columns, size.height / size.rows))
            .filter(|(width, height)| *width > 0 && *height > 0);
        Self::new(kind, cell.unwrap_or(USUAL_CELL))
    }

    /// The protocol.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The terminal has lost its pictures.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Draws `preview` with its boxes, and the lines, zones, ignored regions and trails of `overlay`, into the middle of `area`;
    /// `false` when it cannot be encoded.
    pub fn draw(&mut self, preview: &Preview, overlay: Overlay, area: Rect, buffer: &mut Buffer) -> bool {
        let area = self.place(area, preview.size);
        let made = Made {
            taken: preview.taken,
            area,
            lines: overlay.lines.to_vec(),
            zones: overlay.zones.to_vec(),
            ignored: overlay.ignored.to_vec(),
        };
        if self.last.as_ref().is_none_or(|(last, _)| *last != made) {
            let Some(protocol) = self.encode(preview, overlay, area) else { return false };
            self.last = Some((made, protocol));
        }
        if let Some((_, protocol)) = &self.last {
            Image::new(protocol).render(area, buffer);
        }
        true
    }

    /// The part of `area` that a picture of this size fills: its middle.
    #[must_use]
    pub fn place(&self, area: Rect, size: (u32, u32)) -> Rect {
        fitted(self.affordable(area, size), size)
    }

    /// The part of `area` that can be filled without too many pixels.
    fn affordable(&self, area: Rect, size: (u32, u32)) -> Rect {
        let whole = fitted(area, size);
        let pixels = f32::from(whole.width)
            * f32::from(self.cell.0)
            * f32::from(whole.height)
            * f32::from(self.cell.1);
        let share = (MOST_PIXELS / pixels.max(1.0)).sqrt().min(1.0);
        let part = |length: u16| ((f32::from(length) * share) as u16).max(1);
        super::layout::centered(area, part(whole.width), part(whole.height))
    }

    fn encode(&mut self, preview: &Preview, overlay: Overlay, area: Rect) -> Option<Protocol> {
        let (width, height) = (u32::from(area.width * self.cell.0), u32::from(area.height * self.cell.1));
        if width == 0 || height == 0 {
            return None;
        }
        let image = RgbImage::from_raw(preview.size.0, preview.size.1, preview.rgb.clone())?;
        let mut canvas = imageops::resize(&image, width, height, imageops::FilterType::Triangle);
        paint(&mut canvas, preview, overlay);
        let image = DynamicImage::ImageRgb8(canvas);
        let size = Size::new(area.width, area.height);
        match self.kind {
            Kind::Kitty => {
                self.number = 1 + self.number % 2;
                let number = std::process::id().wrapping_mul(2).wrapping_add(self.number) & 0x00ff_ffff;
                Kitty::new(image, size, number, false, true).map(Protocol::Kitty)
            }
            Kind::Iterm2 => Iterm2::new(image, size, false).map(Protocol::ITerm2),
            Kind::Sixel => Sixel::new(image, size, false).map(Protocol::Sixel),
        }
        .ok()
    }
}

/// Ignored regions, ways, boxes, zones, lines and the arrow to the side that counts as in.
fn paint(canvas: &mut RgbImage, preview: &Preview, overlay: Overlay) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let aspect = preview.size.0.max(1) as f32 / preview.size.1.max(1) as f32;
    for corners in overlay.ignored {
        let corners: Vec<Point> = corners.iter().map(|[x, y]| Point::new(x * width, y * height)).collect();
        hatch(canvas, &corners);
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            stroke(canvas, (a.x, a.y), (b.x, b.y), 1, IGNORED);
        }
    }
    for trail in overlay.trails {
        let at = |point: &crate::geometry::Point| (point.x / aspect * width, point.y * height);
        for step in trail.points.windows(2) {
            stroke(canvas, at(&step[0]), at(&step[1]), 1, TRAIL);
        }
    }
    for zone in overlay.zones {
        let at = |[x, y]: [f32; 2]| (x * width, y * height);
        for (a, b) in zone.points.iter().zip(zone.points.iter().cycle().skip(1)) {
            stroke(canvas, at(*a), at(*b), 1, ZONE);
        }
    }
    for track in preview.tracks.iter().filter(|track| track.confirmed) {
        let color = if track.seen { BOX } else { LOST_BOX };
        let (left, right) = (track.bbox.x / aspect * width, track.bbox.right() / aspect * width);
        let (top, bottom) = (track.bbox.y * height, track.bbox.bottom() * height);
        for (from, to) in [
            ((left, top), (right, top)),
            ((right, top), (right, bottom)),
            ((right, bottom), (left, bottom)),
            ((left, bottom), (left, top)),
        ] {
            stroke(canvas, from, to, 1, color);
        }
    }
    for line in overlay.lines {
        let a = (line.a[0] * width, line.a[1] * height);
        let b = (line.b[0] * width, line.b[1] * height);
        stroke(canvas, a, b, 2, LINE);
        // In is to the right-hand side when walking from a to b; y points down.
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy).max(1.0);
        let (along, inward) = ((dx / length, dy / length), (-dy / length, dx / length));
        let reach = height / 10.0;
        let foot = (f32::midpoint(a.0, b.0), f32::midpoint(a.1, b.1));
        let tip = (foot.0 + inward.0 * reach, foot.1 + inward.1 * reach);
        stroke(canvas, foot, tip, 2, INWARD);
        for side in [-1.0, 1.0] {
            let barb = (
                tip.0 - (inward.0 - side * along.0) * reach / 3.0,
                tip.1 - (inward.1 - side * along.1) * reach / 3.0,
            );
            stroke(canvas, tip, barb, 2, INWARD);
        }
    }
}

/// Strokes across an area with these corners.
fn hatch(canvas: &mut RgbImage, corners: &[Point]) {
    for (x, y, pixel) in canvas.enumerate_pixels_mut() {
        let is_stroke = (x + y) % HATCHING.0 < HATCHING.1;
        if is_stroke && Point::new(x as f32 + 0.5, y as f32 + 0.5).is_in(corners) {
            *pixel = IGNORED;
        }
    }
}

/// A straight stroke of `2 * half` pixels and one more.
fn stroke(canvas: &mut RgbImage, from: (f32, f32), to: (f32, f32), half: i64, color: Rgb<u8>) {
    let steps = ((to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil()).clamp(1.0, 8192.0) as u32;
    for step in 0..=steps {
        let t = step as f32 / steps as f32;
        let x = (from.0 + (to.0 - from.0) * t) as i64;
        let y = (from.1 + (to.1 - from.1) * t) as i64;
        for column in x - half..=x + half {
            for row in y - half..=y + half {
                if let (Ok(column), Ok(row)) = (u32::try_from(column), u32::try_from(row))
                    && column < canvas.width()
                    && row < canvas.height()
                {
                    canvas.put_pixel(column, row, color);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pairs: &[(&str, &str)]) -> Option<Kind> {
        GraphicsChoice::Auto
            .resolve(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string()))
    }

    #[test]
    fn the_environment_says_what_the_terminal_takes() {
        assert_eq!(resolve(&[("TERM", "xterm-kitty")]), Some(Kind::Kitty));
        assert_eq!(resolve(&[("TERM", "xterm-ghostty")]), Some(Kind::Kitty));
        assert_eq!(resolve(&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")]), Some(Kind::Iterm2));
        assert_eq!(resolve(&[("TERM", "foot")]), Some(Kind::Sixel));
        assert_eq!(resolve(&[("TERM", "xterm-256color")]), None);
        assert_eq!(resolve(&[("TERM", "tmux-256color"), ("LC_TERMINAL", "iTerm2")]), None);
        assert_eq!(resolve(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-0/default,1,0")]), None);
    }

    fn preview() -> Preview {
        Preview { size: (64, 32), rgb: vec![40; 64 * 32 * 3], tracks: Vec::new(), taken: Moment::START }
    }

    fn line() -> LineConfig {
        LineConfig { name: "door".into(), a: [0.0, 0.5], b: [1.0, 0.5], ..LineConfig::default() }
    }

    #[test]
    fn each_protocol_is_spoken_once_for_each_picture() {
        let area = Rect::new(0, 0, 40, 20);
        for (kind, start) in
            [(Kind::Kitty, "\x1b_G"), (Kind::Iterm2, "\x1b]1337;File="), (Kind::Sixel, "\x1bP")]
        {
            let mut graphics = Graphics::new(kind, (8, 16));
            let preview = preview();
            let symbols = |graphics: &mut Graphics| -> String {
                let mut buffer = Buffer::empty(area);
                let lines = [line()];
                let overlay = Overlay { lines: &lines, ..Overlay::default() };
                assert!(graphics.draw(&preview, overlay, area, &mut buffer));
                buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
            };
            let first = symbols(&mut graphics);
            assert!(first.contains(start), "{kind:?}");
            let again = symbols(&mut graphics);
            // Kitty has the picture already; for the others the frame stays the same and nothing is written.
            assert!(if kind == Kind::Kitty { !again.contains(start) } else { again == first }, "{kind:?}");
        }
    }

    #[test]
    fn the_arrow_points_to_the_right_hand_side_of_a_to_b() {
        let mut canvas = RgbImage::new(200, 100);
        let lines = [line()];
        paint(&mut canvas, &preview(), Overlay { lines: &lines, ..Overlay::default() });
        assert_eq!(*canvas.get_pixel(100, 57), INWARD, "below a line from left to right");
        assert_eq!(*canvas.get_pixel(100, 43), Rgb([0, 0, 0]));
        assert_eq!(*canvas.get_pixel(10, 50), LINE);
    }

    #[test]
    fn zones_and_the_ways_of_people_are_painted_too() {
        let zone = ZoneConfig {
            name: "till".into(),
            points: vec![[0.1, 0.1], [0.4, 0.1], [0.4, 0.9]],
            anchor: crate::geometry::Anchor::Foot,
            threshold: None,
        };
        let point = |x, y| crate::geometry::Point { x, y };
        let trail = crate::count::replay::TrackPath { id: 1, points: vec![point(1.2, 0.2), point(1.2, 0.8)] };
        let overlay = Overlay { zones: &[zone], trails: &[trail], ..Overlay::default() };
        let mut canvas = RgbImage::new(200, 100);
        paint(&mut canvas, &preview(), overlay);
        assert_eq!(*canvas.get_pixel(50, 10), ZONE, "an edge");
        assert_eq!(*canvas.get_pixel(50, 50), ZONE, "and the one back to the first corner");
        assert_eq!(*canvas.get_pixel(120, 50), TRAIL, "between two places");
        assert_eq!(*canvas.get_pixel(180, 50), Rgb([0, 0, 0]));
    }

    #[test]
    fn ignored_regions_are_hatched_and_a_new_one_is_a_new_picture() {
        let regions = [vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]];
        let overlay = Overlay { ignored: &regions, ..Overlay::default() };
        let mut canvas = RgbImage::new(200, 100);
        paint(&mut canvas, &preview(), overlay);
        let hatched = |from: u32| (from..from + 80).filter(|x| *canvas.get_pixel(*x, 50) == IGNORED).count();
        assert!((8..20).contains(&hatched(10)), "{} of 80 pixels", hatched(10));
        assert_eq!(hatched(110), 0, "beyond it");
        let area = Rect::new(0, 0, 40, 20);
        let mut graphics = Graphics::new(Kind::Sixel, (8, 16));
        let mut drawn = |overlay: Overlay| -> String {
            let mut buffer = Buffer::empty(area);
            assert!(graphics.draw(&preview(), overlay, area, &mut buffer));
            buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
        };
        assert_ne!(drawn(Overlay::default()), drawn(overlay), "of the same frame");
    }

    #[test]
    fn large_panels_are_not_filled_at_any_price() {
        let graphics = Graphics::new(Kind::Sixel, (10, 20));
        let area = graphics.affordable(Rect::new(0, 0, 200, 80), (1920, 1080));
        assert!(u32::from(area.width) * 10 * u32::from(area.height) * 20 <= 640 * 480, "{area:?}");
        assert!(area.width >= 60, "{area:?}");
    }
}
