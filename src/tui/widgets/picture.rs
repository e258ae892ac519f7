//! A camera's picture in character cells: two pixels a cell, boxes, counting lines and an arrow to the side
//! that counts as in.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::Look;
use crate::{
    count::replay::TrackPath,
    geometry::Point,
    model::{LineConfig, Polygon, Preview, SourceId, ZoneConfig},
    tui::context::Context,
    tui::theme::{Palette, Role},
};

/// A point in 0..1 of the picture's width and height.
type Share = (f32, f32);

/// Columns from one stroke of the hatching to the next.
const HATCHING: u16 = 3;

/// What is drawn over the picture.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overlay<'a> {
    /// Counting lines.
    pub lines: &'a [LineConfig],
    /// Zones.
    pub zones: &'a [ZoneConfig],
    /// Regions in which nobody is seen, drawn hatched.
    pub ignored: &'a [Polygon],
    /// What is being edited, drawn with its ends: index over the lines, the zones and then the regions.
    pub chosen: Option<usize>,
    /// Its end or corner that is held.
    pub held: Option<usize>,
    /// Where people came from, in frame heights.
    pub trails: &'a [TrackPath],
    /// Where people walked.
    pub walked: &'a [Share],
}

impl<'a> Overlay<'a> {
    /// Lines, zones and paths of a source as it runs.
    #[must_use]
    pub fn of(context: &'a Context, source: &SourceId) -> Self {
        let config = context.config_of(source);
        Self {
            lines: config.map_or(&[], |config| &config.lines),
            zones: config.map_or(&[], |config| &config.zones),
            ignored: config.map_or(&[], |config| &config.ignore),
            trails: context.fetched.trails.get(source).map_or(&[], Vec::as_slice),
            ..Self::default()
        }
    }
}

/// The part of `area` that the picture fills, keeping its shape: a cell is twice as high as it is wide.
#[must_use]
pub fn fitted(area: Rect, size: (u32, u32)) -> Rect {
    let (width, height) = (size.0.max(1) as f32, size.1.max(1) as f32);
    let scale = (f32::from(area.width) / width).min(f32::from(area.height) * 2.0 / height);
    let columns = ((width * scale).round() as u16).min(area.width);
    let rows = ((height * scale / 2.0).round() as u16).min(area.height);
    Rect {
        x: area.x + (area.width - columns) / 2,
        y: area.y + (area.height - rows) / 2,
        width: columns,
        height: rows,
    }
}

/// Draws `preview` with its overlay into `area`.
pub fn draw(preview: &Preview, overlay: Overlay, area: Rect, buffer: &mut Buffer, look: &Look) {
    let area = fitted(area.intersection(*buffer.area()), preview.size);
    if area.width == 0 || area.height == 0 || preview.rgb.is_empty() {
        return;
    }
    pixels(preview, area, buffer, look);
    let aspect = preview.size.0.max(1) as f32 / preview.size.1.max(1) as f32;
    for (index, corners) in overlay.ignored.iter().enumerate() {
        hatch(corners, area, buffer, look);
        let chosen = overlay.chosen == Some(overlay.lines.len() + overlay.zones.len() + index);
        polygon(corners, (chosen, overlay.held), Role::Bad, aspect, area, buffer, look);
    }
    for place in overlay.walked {
        if let Some(at) = cell_at(*place, area) {
            stroke(at, look.symbols.dot, look.style(Role::Marked), buffer);
        }
    }
    for trail in overlay.trails {
        for point in &trail.points {
            if let Some(at) = cell_at((point.x / aspect, point.y), area) {
                stroke(at, look.symbols.dot, look.style(Role::Busy), buffer);
            }
        }
    }
    for track in preview.tracks.iter().filter(|track| track.confirmed) {
        let b = &track.bbox;
        let corners = ((b.x / aspect, b.y), (b.right() / aspect, b.bottom()));
        outline(corners, area, buffer, look.style(if track.seen { Role::Busy } else { Role::Dim }), look);
    }
    for (index, zone) in overlay.zones.iter().enumerate() {
        let chosen = overlay.chosen == Some(overlay.lines.len() + index);
        polygon(&zone.points, (chosen, overlay.held), Role::In, aspect, area, buffer, look);
    }
    for (index, line) in overlay.lines.iter().enumerate() {
        let chosen = overlay.chosen == Some(index);
        counting_line(line, (chosen, overlay.held), aspect, area, buffer, look);
    }
}

fn pixels(preview: &Preview, area: Rect, buffer: &mut Buffer, look: &Look) {
    let (columns, rows) = (u32::from(area.width), u32::from(area.height) * 2);
    for row in 0..area.height {
        for column in 0..area.width {
            let pixel = |half: u32| {
                let y = u32::from(row) * 2 + half;
                mean(preview, (u32::from(column), columns), (y, rows))
            };
            let (upper, lower) = (pixel(0), pixel(1));
            let cell = &mut buffer[(area.x + column, area.y + row)];
            match look.theme.palette() {
                Palette::True | Palette::Ansi256 if !look.symbols.is_ascii() => {
                    let color = |rgb| match look.theme.palette() {
                        Palette::True => rgb_color(rgb),
                        _ => Color::Indexed(indexed(rgb)),
                    };
                    cell.set_symbol(look.symbols.half)
                        .set_style(Style::new().fg(color(upper)).bg(color(lower)));
                }
                _ => {
                    let light = u32::midpoint(luminance(upper), luminance(lower));
                    let shades = look.symbols.shades;
                    let shade = (light as usize * shades.len() / 256).min(shades.len() - 1);
                    cell.set_symbol(shades[shade]).set_style(Style::new());
                }
            }
        }
    }
}

/// Mean color of the part of the picture that falls on one pixel of the screen.
fn mean(preview: &Preview, (column, columns): (u32, u32), (row, rows): (u32, u32)) -> [u8; 3] {
    let (width, height) = preview.size;
    let range = |at: u32, of: u32, size: u32| {
        let first = (u64::from(at) * u64::from(size) / u64::from(of.max(1))) as u32;
        let end = (u64::from(at + 1) * u64::from(size) / u64::from(of.max(1))) as u32;
        first.min(size.saturating_sub(1))..end.max(first + 1).min(size)
    };
    let (mut sum, mut count) = ([0u32; 3], 0u32);
    for y in range(row, rows, height) {
        for x in range(column, columns, width) {
            let at = (y as usize * width as usize + x as usize) * 3;
            if let Some([r, g, b]) = preview.rgb.get(at..at + 3) {
                sum = [sum[0] + u32::from(*r), sum[1] + u32::from(*g), sum[2] + u32::from(*b)];
                count += 1;
            }
        }
    }
    sum.map(|value| (value / count.max(1)) as u8)
}

fn rgb_color([r, g, b]: [u8; 3]) -> Color {
    // The lowest bits are noise of the camera: without them, still parts of the picture cost no bytes.
    Color::Rgb(r & 0xf8, g & 0xf8, b & 0xf8)
}

/// ITU-R BT.601 luma.
fn luminance([r, g, b]: [u8; 3]) -> u32 {
    (u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000
}

/// The nearest of the 256 colors: the 6x6x6 cube from 16, or the 24 grays from 232.
fn indexed(rgb: [u8; 3]) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |value: u8| (0..6).min_by_key(|&step| (STEPS[step] - i32::from(value)).abs()).unwrap_or(0);
    let cube = rgb.map(nearest);
    let grey = (luminance(rgb).saturating_sub(3) / 10).min(23);
    let distance = |color: [i32; 3]| -> i32 {
        color.iter().zip(rgb).map(|(a, b)| (a - i32::from(b)) * (a - i32::from(b))).sum()
    };
    let grey_value = 8 + 10 * grey as i32;
    if distance([grey_value; 3]) <= distance(cube.map(|step| STEPS[step])) {
        232 + grey as u8
    } else {
        (16 + 36 * cube[0] + 6 * cube[1] + cube[2]) as u8
    }
}

/// The cell under a point, when it is in the picture.
fn cell_at((x, y): Share, area: Rect) -> Option<(u16, u16)> {
    if !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y) {
        return None;
    }
    let column = ((x * f32::from(area.width)) as u16).min(area.width - 1);
    let row = ((y * f32::from(area.height)) as u16).min(area.height - 1);
    Some((area.x + column, area.y + row))
}

fn stroke(at: (u16, u16), symbol: &str, style: Style, buffer: &mut Buffer) {
    // The picture's color stays behind the stroke, or boxes would cut holes.
    if let Some(cell) = buffer.cell_mut(at) {
        cell.set_symbol(symbol);
        cell.set_style(style);
    }
}

fn outline((from, to): (Share, Share), area: Rect, buffer: &mut Buffer, style: Style, look: &Look) {
    let inside = |value: f32| value.clamp(0.0, 1.0);
    let first = cell_at((inside(from.0), inside(from.1)), area);
    let last = cell_at((inside(to.0), inside(to.1)), area);
    let (Some((left, top)), Some((right, bottom))) = (first, last) else { return };
    for x in left..=right {
        for y in [top, bottom] {
            stroke((x, y), look.symbols.rule, style, buffer);
        }
    }
    for y in top..=bottom {
        for x in [left, right] {
            stroke((x, y), look.symbols.side, style, buffer);
        }
    }
    let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for (corner, symbol) in corners.into_iter().zip(look.symbols.corners) {
        stroke(corner, symbol, style, buffer);
    }
}

fn straight(a: Share, b: Share, symbol: &str, style: Style, area: Rect, buffer: &mut Buffer) {
    let steps = 2 * (area.width.max(area.height)).max(1);
    for step in 0..=steps {
        let t = f32::from(step) / f32::from(steps);
        if let Some(at) = cell_at((a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t), area) {
            stroke(at, symbol, style, buffer);
        }
    }
}

/// Strokes across an area with these corners, in the direction of the glyph.
fn hatch(corners: &[[f32; 2]], area: Rect, buffer: &mut Buffer, look: &Look) {
    let corners: Vec<Point> = corners.iter().map(|[x, y]| Point::new(*x, *y)).collect();
    let share = |at: u16, size: u16| (f32::from(at) + 0.5) / f32::from(size);
    for row in 0..area.height {
        for column in (0..area.width).filter(|column| (column + row).is_multiple_of(HATCHING)) {
            if Point::new(share(column, area.width), share(row, area.height)).is_in(&corners) {
                stroke((area.x + column, area.y + row), "/", look.style(Role::Bad), buffer);
            }
        }
    }
}

fn polygon(
    corners: &[[f32; 2]],
    (chosen, held): (bool, Option<usize>),
    role: Role,
    aspect: f32,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let style = look.style(if chosen { Role::Alert } else { role });
    for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        let symbol = line_symbol(direction(b[0] - a[0], b[1] - a[1], aspect), look);
        straight((a[0], a[1]), (b[0], b[1]), symbol, style, area, buffer);
    }
    for (index, point) in corners.iter().enumerate().filter(|_| chosen) {
        if let Some(at) = cell_at((point[0], point[1]), area) {
            let symbol = if held == Some(index) { look.symbols.marked } else { look.symbols.queued };
            badge(at, symbol, look.style(if held == Some(index) { Role::Key } else { Role::Text }), buffer);
        }
    }
}

fn counting_line(
    line: &LineConfig,
    (chosen, held): (bool, Option<usize>),
    aspect: f32,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look,
) {
    let style = look.style(if chosen { Role::Alert } else { Role::Warn });
    let (a, b) = ((line.a[0], line.a[1]), (line.b[0], line.b[1]));
    let slope = direction(b.0 - a.0, b.1 - a.1, aspect);
    straight(a, b, line_symbol(slope, look), style, area, buffer);
    // In is to the right-hand side when walking from a to b; y points down.
    let (dx, dy) = ((b.0 - a.0) * aspect, b.1 - a.1);
    let length = dx.hypot(dy).max(1e-6);
    let normal = (-dy / length, dx / length);
    let middle = (f32::midpoint(a.0, b.0), f32::midpoint(a.1, b.1));
    let arrow = direction(normal.0 / aspect, normal.1, aspect);
    // One and a half cells away, whichever way the arrow points.
    let reach = 1.5 / f32::from(area.height);
    let tip = (middle.0 + normal.0 * reach / aspect, middle.1 + normal.1 * reach);
    if let Some(at) = cell_at(tip, area) {
        badge(at, arrow_symbol(arrow, look), look.style(Role::In), buffer);
    }
    if chosen {
        for (index, (end, name)) in [(a, "a"), (b, "b")].into_iter().enumerate() {
            if let Some(at) = cell_at(end, area) {
                let role = if held == Some(index) { Role::Key } else { Role::Text };
                badge(at, name, look.style(role), buffer);
            }
        }
    }
}

/// A glyph that can be read on any picture.
fn badge(at: (u16, u16), symbol: &str, style: Style, buffer: &mut Buffer) {
    if let Some(cell) = buffer.cell_mut(at) {
        cell.reset();
        cell.set_symbol(symbol).set_style(style.add_modifier(Modifier::BOLD | Modifier::REVERSED));
    }
}

/// One of eight directions, clockwise from up.
fn direction(dx: f32, dy: f32, aspect: f32) -> usize {
    let angle = (dx * aspect).atan2(-dy);
    (angle / std::f32::consts::FRAC_PI_4).round().rem_euclid(8.0) as usize % 8
}

fn arrow_symbol(direction: usize, look: &Look) -> &'static str {
    let half = direction / 2;
    if direction.is_multiple_of(2) { look.symbols.arrows[half] } else { look.symbols.diagonals[half] }
}

fn line_symbol(direction: usize, look: &Look) -> &'static str {
    match direction % 4 {
        0 => look.symbols.side,
        1 => "/",
        2 => look.symbols.rule,
        _ => "\\",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::symbols::UNICODE;

    #[test]
    fn pictures_keep_their_shape() {
        assert_eq!(fitted(Rect::new(0, 0, 80, 40), (1920, 1080)), Rect::new(0, 8, 80, 23));
        assert_eq!(fitted(Rect::new(0, 0, 80, 10), (1920, 1080)).height, 10);
        assert_eq!(fitted(Rect::new(0, 0, 0, 0), (1920, 1080)).area(), 0);
    }

    #[test]
    fn colours_go_to_the_nearest_index() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([128, 128, 128]), 244);
        assert_eq!(indexed([255, 255, 255]), 231);
    }

    #[test]
    fn ignored_regions_are_hatched_and_the_frame_shows_between_the_strokes() {
        let look = Look {
            theme: crate::tui::theme::Theme::new(Palette::None, crate::config::Theme::Mono),
            symbols: crate::tui::symbols::ASCII,
        };
        let taken = crate::model::Moment::START;
        let preview = Preview { size: (24, 16), rgb: vec![255; 24 * 16 * 3], tracks: Vec::new(), taken };
        let area = Rect::new(0, 0, 24, 8);
        let regions = [vec![[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]];
        let mut buffer = Buffer::empty(area);
        draw(&preview, Overlay { ignored: &regions, ..Overlay::default() }, area, &mut buffer, &look);
        let row = |y: u16| (0..24).map(|x| buffer[(x, y)].symbol().to_string()).collect::<String>();
        assert_eq!(row(3), "|@@/@@/@@/@@|@@@@@@@@@@@", "strokes and edges, and nothing beyond");
        assert_eq!(row(4), "|@/@@/@@/@@/|@@@@@@@@@@@", "a column further left");
    }

    #[test]
    fn the_arrow_points_to_the_right_hand_side_of_a_to_b() {
        let look = Look {
            theme: crate::tui::theme::Theme::new(Palette::None, crate::config::Theme::Mono),
            symbols: UNICODE,
        };
        let preview = Preview {
            size: (16, 16),
            rgb: vec![0; 768],
            tracks: Vec::new(),
            taken: crate::model::Moment::START,
        };
        let area = Rect::new(0, 0, 16, 8);
        let arrows = |a, b| {
            let mut buffer = Buffer::empty(area);
            let lines = [LineConfig { name: "door".into(), a, b, ..LineConfig::default() }];
            draw(&preview, Overlay { lines: &lines, ..Overlay::default() }, area, &mut buffer, &look);
            buffer
                .content()
                .iter()
                .map(|cell| cell.symbol().to_string())
                .find(|s| "↑→↓←↗↘↙↖".contains(s.as_str()))
        };
        assert_eq!(arrows([0.0, 0.5], [1.0, 0.5]).as_deref(), Some("↓"));
        assert_eq!(arrows([1.0, 0.5], [0.0, 0.5]).as_deref(), Some("↑"));
        assert_eq!(arrows([0.5, 0.0], [0.5, 1.0]).as_deref(), Some("←"));
        assert_eq!(arrows([0.0, 0.0], [1.0, 1.0]).as_deref(), Some("↙"));
    }
}
