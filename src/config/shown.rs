//! What a source opens, as it is sent to clients: without user name, password and secret parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::SourceSpec;

/// A [`SourceSpec`] in JSON. What is read back shows the same and cannot be opened where a login is needed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SourceSpec")]
enum SpecJson {
    /// An address without secrets.
    Url(String),
    /// A capture device.
    Device(String),
    /// A video file.
    File(String),
    /// A scene drawn by the program: everything after `demo:`.
    Demo(String),
}

impl Serialize for SourceSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.to_string();
        let shown = match self {
            Self::Url { .. } => SpecJson::Url(shown),
            Self::Device(_) => SpecJson::Device(shown),
            Self::File(_) => SpecJson::File(shown),
            Self::Demo(_) => SpecJson::Demo(shown.trim_start_matches("demo:").to_owned()),
        };
        shown.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SourceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match SpecJson::deserialize(deserializer)? {
            SpecJson::Url(text) => {
                let address = text.parse().map_err(de::Error::custom)?;
                Self::Url { address, credentials: None, hidden: None }
            }
            SpecJson::Device(path) => Self::Device(path.into()),
            SpecJson::File(path) => Self::File(path.into()),
            SpecJson::Demo(scene) => Self::Demo(scene),
        })
    }
}

impl JsonSchema for SourceSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        SpecJson::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        SpecJson::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::config::SourceConfig;

    #[test]
    fn a_source_travels_without_its_secrets_and_shows_the_same() {
        for text in ["rtsp://admin:hunter2@cam.lan/1?token=t0psecret", "/v/a.mp4", "demo:lobby?people=2", "0"]
        {
            let source = SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap();
            let json = serde_json::to_string(&source).unwrap();
            assert!(
                !json.contains("hunter2") && !json.contains("t0psecret") && !json.contains("admin"),
                "{json}"
            );
            let read: SourceConfig = serde_json::from_str(&json).unwrap();
            assert_eq!(read.source.to_string(), source.source.to_string());
            assert_eq!(SourceConfig { source: source.source.clone(), ..read }, source);
        }
    }
}
