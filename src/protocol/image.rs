//! Pictures in JSON: a JPEG in base64.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::{Marks, Pixels},
    host::{ProbedSource, crossings},
    model::{Judgment, Moment, Preview, ShownTrack},
};

/// Quality of a preview, of 100: it is shown in a terminal.
const PREVIEW_QUALITY: i32 = 80;

/// Quality of the picture of a crossing, of 100.
const STRIP_QUALITY: i32 = 92;

/// What is said of a picture that cannot be read or written.
const NO_PICTURE: &str = "a picture cannot be read";

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Jpeg(String);

impl Jpeg {
    fn of(pixels: &Pixels, quality: i32) -> Result<Self, String> {
        let jpeg = pixels.jpeg(quality).map_err(|_| NO_PICTURE.to_owned())?;
        Ok(Self(BASE64_STANDARD.encode(jpeg)))
    }

    fn pixels(&self) -> Result<Pixels, String> {
        let jpeg = BASE64_STANDARD.decode(&self.0).map_err(|_| NO_PICTURE.to_owned())?;
        Pixels::of_jpeg(&jpeg).map_err(|_| NO_PICTURE.to_owned())
    }
}

/// A [`Preview`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewJson {
    /// The frame.
    jpeg: Jpeg,
    /// Tracks of the same frame.
    tracks: Vec<ShownTrack>,
    /// When the frame left the decoder.
    taken: Moment,
}

impl PreviewJson {
    /// What travels of `preview`.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn of(preview: &Preview) -> Result<Self, String> {
        let Preview { size, rgb, tracks, taken } = preview.clone();
        Ok(Self { jpeg: Jpeg::of(&Pixels { size, rgb }, PREVIEW_QUALITY)?, tracks, taken })
    }

    /// The frame of `preview` as the bytes of a JPEG.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn jpeg(preview: &Preview) -> Result<Vec<u8>, String> {
        let pixels = Pixels { size: preview.size, rgb: preview.rgb.clone() };
        pixels.jpeg(PREVIEW_QUALITY).map_err(|_| NO_PICTURE.to_owned())
    }

    /// The preview that it is.
    ///
    /// # Errors
    /// When it is no picture.
    pub fn preview(self) -> Result<Preview, String> {
        let Pixels { size, rgb } = self.jpeg.pixels()?;
        Ok(Preview { size, rgb, tracks: self.tracks, taken: self.taken })
    }
}

/// What was [`ProbedSource`] behind a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    /// Size, rate, codec in a few words.
    words: String,
    /// Its first picture.
    picture: Option<PreviewJson>,
}

impl Probed {
    /// What travels of `found`.
    #[must_use]
    pub fn of(found: ProbedSource) -> Self {
        // The words matter more than a picture that cannot be packed.
        let picture = found.picture.and_then(|picture| PreviewJson::of(&picture).ok());
        Self { words: found.words, picture }
    }

    /// What it is.
    #[must_use]
    pub fn found(self) -> ProbedSource {
        let picture = self.picture.and_then(|shot| shot.preview().ok()).map(std::sync::Arc::new);
        ProbedSource { words: self.words, picture }
    }
}

/// What is [`CrossingDetails`](crossings::CrossingDetails) of a crossing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KnownCrossing {
    facts: crate::evidence::Facts,
    strip: Option<Strip>,
    judgment: Option<Judgment>,
}

/// The pictures of a crossing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Strip {
    key: String,
    blurred: bool,
    pictures: Vec<Jpeg>,
    marks: Option<Marks>,
}

impl KnownCrossing {
    /// What travels of `known`.
    ///
    /// # Errors
    /// When a picture cannot be packed.
    pub fn of(known: crossings::CrossingDetails) -> Result<Self, String> {
        let crossings::CrossingDetails { facts, strip, judgment } = known;
        let strip = strip.map(|crossings::Strip { key, blurred, pictures, marks }| {
            let pictures = pictures.iter().map(|pixels| Jpeg::of(pixels, STRIP_QUALITY));
            Ok::<_, String>(Strip {
                key: key.to_string(),
                blurred,
                pictures: pictures.collect::<Result<_, _>>()?,
                marks,
            })
        });
        Ok(Self { facts, strip: strip.transpose()?, judgment })
    }

    /// What it is.
    ///
    /// # Errors
    /// When a picture is none.
    pub fn known(self) -> Result<crossings::CrossingDetails, String> {
        let strip = self.strip.map(|Strip { key, blurred, pictures, marks }| {
            let pictures = pictures.iter().map(Jpeg::pixels).collect::<Result<_, _>>()?;
            Ok::<_, String>(crossings::Strip { key: key.parse()?, blurred, pictures, marks })
        });
        Ok(crossings::CrossingDetails {
            facts: self.facts,
            strip: strip.transpose()?,
            judgment: self.judgment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_comes_back_nearly_as_it_was() {
        let (width, height) = (64_u32, 48_u32);
        let rgb: Vec<u8> =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 * 3, y as u8 * 4, 90])).collect();
        let preview = Preview { size: (width, height), rgb, tracks: Vec::new(), taken: Moment::START };
        let json = serde_json::to_string(&PreviewJson::of(&preview).unwrap()).unwrap();
        let back = serde_json::from_str::<PreviewJson>(&json).unwrap().preview().unwrap();
        assert_eq!(back.size, preview.size);
        let far = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 24;
        assert!(!preview.rgb.iter().zip(&back.rgb).any(far), "red stays red");
        let broken: PreviewJson = serde_json::from_str(&json.replace(&json[9..40], "\"jpeg\":\"AAAA"))
            .unwrap_or(PreviewJson { jpeg: Jpeg("AAAA".into()), tracks: Vec::new(), taken: Moment::START });
        assert!(broken.preview().is_err());
    }
}
