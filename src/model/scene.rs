//! What is known of the scene that a source shows.

use serde::{Deserialize, Serialize};

/// What was learned of a scene from the people who walked about in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct Scene {
    /// Why its counts cannot be relied upon, where they cannot.
    pub doubt: Option<Doubt>,
    /// How tall people usually are at least and at most, by where they walk, in heights of the picture; `None` until enough
    /// were seen.
    pub heights: Option<(f32, f32)>,
    /// Times its usual width and height that the detector's input has, because that shows more people.
    pub scale: f32,
    /// What the next run of the source goes on from.
    #[serde(rename = "learnt")]
    pub learned: Learned,
}

/// Why people cannot be counted well in a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// People hide one another.
    Crowded,
    /// People are rarely recognized, because the camera looks straight down.
    Steep,
    /// People are rarely recognized, because it is dark.
    Dark,
    /// People are rarely recognized, or what moves is none.
    // Ledgers of version 4 have this spelling.
    #[serde(alias = "unrecognised")]
    Unrecognized,
    /// People are too small.
    Small,
}

/// Sums and shares that a run of a source ended with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Learned {
    /// Name of the detector that it was learned with.
    pub detector: String,
    /// Width of the picture over its height.
    pub aspect: f32,
    /// Of people's heights by their place; empty where nothing is known.
    pub heights: Vec<f64>,
    /// Of how people were seen; empty where nothing is known.
    pub sightings: Vec<f64>,
    /// Share (0..=1) of the walkers that each size of the detector's input lost and the next larger one did not, for the sizes
    /// that are too small here.
    pub gains: Vec<f32>,
}

impl Scene {
    /// Whether there is something new in it for somebody who knew `before`.
    #[must_use]
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        let differ = |a: f32, b: f32| (a - b).abs() > 0.2 * a.max(b);
        let heights = |before: &Self| match (self.heights, before.heights) {
            (Some(now), Some(then)) => differ(now.0, then.0) || differ(now.1, then.1),
            (now, then) => now.is_some() != then.is_some(),
        };
        let sightings = |scene: &Self| scene.learned.heights.first().copied().unwrap_or_default();
        match before {
            None => self.doubt.is_some() || self.heights.is_some() || self.scale != 1.0,
            Some(before) => {
                self.doubt != before.doubt
                    || self.scale != before.scale
                    || heights(before)
                    || sightings(self) >= 2.0 * sightings(before).max(1.0)
            }
        }
    }

    /// In words, such as `people 14 to 32 % of the frame height, input scale 2x`; `None` while nothing is known.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let percent = |height: f32| format!("{:.0}", height * 100.0);
        let heights = self.heights.map(|(least, most)| match (percent(least), percent(most)) {
            (least, most) if least == most => format!("people {least} % of the frame height"),
            (least, most) => format!("people {least} to {most} % of the frame height"),
        });
        let scale = (self.scale > 1.0).then(|| format!("input scale {}x", self.scale));
        let facts: Vec<String> = heights.into_iter().chain(scale).collect();
        (!facts.is_empty()).then(|| facts.join(", "))
    }
}

impl Doubt {
    /// Why, in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Crowded => "people hide one another",
            Self::Steep => "people seen from straight above are rarely recognized",
            Self::Dark => "it is dark, and people are rarely recognized",
            Self::Unrecognized => "what moves is rarely recognized as people",
            Self::Small => "people are too small",
        }
    }

    /// How many of the crossings are likely to be counted wrongly.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Crowded => "about 1 crossing in 5 is likely to be wrong",
            Self::Small => "about 1 crossing in 3 is likely to be wrong",
            Self::Steep | Self::Dark | Self::Unrecognized => "1 crossing in 2 or more is likely to be wrong",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(heights: Option<(f32, f32)>, scale: f32, sightings: f64) -> Scene {
        let learned = Learned { heights: vec![sightings], ..Learned::default() };
        Scene { doubt: None, heights, scale, learned }
    }

    #[test]
    fn it_is_said_in_words() {
        assert_eq!(scene(None, 1.0, 5.0).words(), None);
        assert_eq!(
            scene(Some((0.141, 0.144)), 1.0, 50.0).words().unwrap(),
            "people 14 % of the frame height"
        );
        let words = "people 14 to 32 % of the frame height, input scale 2x";
        assert_eq!(scene(Some((0.14, 0.32)), 2.0, 50.0).words().unwrap(), words);
    }

    #[test]
    fn what_changes_is_news_and_what_is_known_better_but_not_every_sighting() {
        let known = scene(Some((0.1, 0.2)), 1.0, 100.0);
        assert!(known.is_news(None) && !scene(None, 1.0, 5.0).is_news(None));
        let same = [scene(Some((0.11, 0.2)), 1.0, 150.0), known.clone()];
        assert!(same.iter().all(|scene| !scene.is_news(Some(&known))));
        let doubtful = Scene { doubt: Some(Doubt::Small), ..known.clone() };
        for news in [
            scene(None, 1.0, 100.0),
            scene(Some((0.1, 0.3)), 1.0, 100.0),
            scene(Some((0.1, 0.2)), 2.0, 100.0),
            scene(Some((0.1, 0.2)), 1.0, 200.0),
            doubtful,
        ] {
            assert!(news.is_news(Some(&known)), "{news:?}");
        }
    }
}
