//! Names and parameters of the scenes that the program draws itself: `demo:lobby?people=6&seed=1`.

use std::{collections::BTreeSet, str::FromStr};

use super::{defaults, text};

/// A scene drawn by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DemoScene {
    /// People come in and go out through the middle of a hall.
    Lobby,
    /// A pavement seen from the side.
    Street,
    /// A narrow corridor, one behind the other.
    Corridor,
    /// An open square, in all directions.
    Plaza,
}

impl DemoScene {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("lobby", Self::Lobby),
        ("street", Self::Street),
        ("corridor", Self::Corridor),
        ("plaza", Self::Plaza),
    ];

    /// The name used in source strings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lobby => "lobby",
            Self::Street => "street",
            Self::Corridor => "corridor",
            Self::Plaza => "plaza",
        }
    }
}

/// A scene with its parameters. The same parameters always draw the same pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoSpec {
    /// Which scene.
    pub scene: DemoScene,
    /// Walkers at the same time, 1..=50.
    pub people: u32,
    /// Start of the random numbers.
    pub seed: u64,
    /// Length; `None` never ends as a camera and takes 60 seconds as a video.
    pub seconds: Option<f64>,
    /// Frames per second, 1..=120.
    pub fps: f64,
    /// Width and height in pixels, 64..=3840, even.
    pub size: (u32, u32),
}

impl DemoSpec {
    /// `scene` with the default parameters.
    #[must_use]
    pub fn new(scene: DemoScene) -> Self {
        Self {
            scene,
            people: defaults::DEMO_PEOPLE,
            seed: defaults::DEMO_SEED,
            seconds: None,
            fps: defaults::DEMO_FPS,
            size: defaults::DEMO_SIZE,
        }
    }
}

impl FromStr for DemoSpec {
    type Err = String;

    /// Parses what stands after `demo:`.
    ///
    /// # Errors
    /// One sentence that names the first bad part.
    fn from_str(written: &str) -> Result<Self, String> {
        const KEYS: [&str; 5] = ["people", "seed", "seconds", "fps", "size"];
        let (name, query) = written.split_once('?').unwrap_or((written, ""));
        let scene = DemoScene::ALL.iter().find(|(known, _)| *known == name).map(|(_, scene)| *scene);
        let names = DemoScene::ALL.map(|(name, _)| name);
        let scene =
            scene.ok_or_else(|| format!("there is no demo scene '{name}'{}", text::instead(name, &names)))?;
        let mut spec = Self::new(scene);
        let mut given = BTreeSet::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !KEYS.contains(&key) {
                return Err(format!("demo scenes have no parameter '{key}'{}", text::instead(key, &KEYS)));
            }
            if !given.insert(key) {
                return Err(format!("the parameter '{key}' is given twice; keep one"));
            }
            match key {
                "people" => spec.people = within(key, value, 1, 50)?,
                "seed" => spec.seed = within(key, value, 0, u64::MAX)?,
                "seconds" => spec.seconds = Some(within(key, value, 1.0, 86_400.0)?),
                "fps" => spec.fps = within(key, value, 1.0, 120.0)?,
                _ => spec.size = size(value)?,
            }
        }
        Ok(spec)
    }
}

fn within<T>(key: &str, value: &str, least: T, most: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display + Copy,
{
    value
        .parse()
        .ok()
        .filter(|number| *number >= least && *number <= most)
        .ok_or_else(|| format!("'{key}={value}' is no number from {least} to {most}"))
}

fn size(value: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| {
        text.parse::<u32>().ok().filter(|side| (64..=3840).contains(side) && side.is_multiple_of(2))
    };
    value.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?))).ok_or_else(|| {
        format!(
            "'size={value}' is not a frame size; write two even numbers from 64 to 3840, as in size=640x360"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let spec: DemoSpec = "street?people=9&seed=42&seconds=20.5&fps=12&size=320x180".parse().unwrap();
        assert_eq!(
            spec,
            DemoSpec {
                scene: DemoScene::Street,
                people: 9,
                seed: 42,
                seconds: Some(20.5),
                fps: 12.0,
                size: (320, 180)
            }
        );
        assert_eq!("lobby".parse(), Ok(DemoSpec::new(DemoScene::Lobby)));
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, wanted) in [
            ("loby", "there is no demo scene 'loby'; did you mean 'lobby'?"),
            ("lobby?peopel=3", "demo scenes have no parameter 'peopel'; did you mean 'people'?"),
            ("lobby?people=0", "'people=0' is no number from 1 to 50"),
            ("lobby?seconds=NaN", "'seconds=NaN' is no number from 1 to 86400"),
            ("lobby?seed=1&seed=2", "the parameter 'seed' is given twice; keep one"),
        ] {
            assert_eq!(text.parse::<DemoSpec>().unwrap_err(), wanted);
        }
        assert!("lobby?size=641x360".parse::<DemoSpec>().is_err());
    }
}
