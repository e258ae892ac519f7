//! The names of topics. A camera, a line or an area is one level of a topic, whatever its name is: the characters that MQTT
//! keeps for itself, and `%`, are written as `%` with two hexadecimal digits, as in addresses of the web. Two names never
//! become one, and every name can be read back.

use std::fmt::Write as _;

/// Levels in the place of a camera that mean something else.
const TAKEN: [&str; 2] = ["area", "available"];

/// A name as one level.
pub(super) fn level(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '/' | '+' | '#' | '%') || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a text does not fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The id of a camera as one level, which is none of those that mean something else.
pub(super) fn camera_level(id: &str) -> String {
    if TAKEN.contains(&id) {
        let (first, rest) = id.split_at(1);
        return format!("%{:02X}{rest}", first.as_bytes()[0]);
    }
    level(id)
}

/// The name that a level was made of; `None` for what no name becomes.
pub(super) fn name(level: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(level.len());
    let mut rest = level.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The topics below one prefix.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    prefix: String,
}

impl Topics {
    /// Those below `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Whether the program is there.
    pub fn available(&self) -> String {
        format!("{}/available", self.prefix)
    }

    /// The state of a camera.
    pub fn state(&self, id: &str) -> String {
        format!("{}/{}/state", self.prefix, camera_level(id))
    }

    /// What happens at a camera.
    pub fn event(&self, id: &str) -> String {
        format!("{}/{}/event", self.prefix, camera_level(id))
    }

    /// What a camera is told.
    pub fn set(&self, id: &str) -> String {
        format!("{}/{}/set", self.prefix, camera_level(id))
    }

    /// What all cameras are told.
    pub fn all_set(&self) -> String {
        format!("{}/+/set", self.prefix)
    }

    /// How many crossed a line, `way` being `in` or `out`.
    pub fn total(&self, id: &str, line: &str, way: &str) -> String {
        format!("{}/{}/{}/{way}", self.prefix, camera_level(id), level(line))
    }

    /// How many are in an area.
    pub fn occupancy(&self, area: &str) -> String {
        format!("{}/area/{}/occupancy", self.prefix, level(area))
    }

    /// The camera that is told something by `topic`, where one is.
    pub fn told(&self, topic: &str) -> Option<String> {
        let level = topic.strip_prefix(&self.prefix)?.strip_prefix('/')?.strip_suffix("/set")?;
        if level.contains('/') || TAKEN.contains(&level) { None } else { name(level) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_readable_where_they_can() {
        let topics = Topics::new("shop/pcount");
        assert_eq!(topics.total("camera_01", "main door", "in"), "shop/pcount/camera_01/main door/in");
        assert_eq!(topics.total("a/b", "+#%", "out"), "shop/pcount/a%2Fb/%2B%23%25/out");
        assert_eq!(topics.occupancy("Erdgeschoß"), "shop/pcount/area/Erdgeschoß/occupancy");
    }

    #[test]
    fn a_camera_that_is_called_area_or_available_is_told_apart() {
        let topics = Topics::new("pcount");
        assert_eq!(topics.state("area"), "pcount/%61rea/state");
        assert_eq!(topics.set("available"), "pcount/%61vailable/set");
        assert_eq!(topics.told("pcount/%61rea/set").as_deref(), Some("area"));
        assert_eq!(topics.told("pcount/area/set"), None);
        assert_eq!(topics.told("pcount/a/b/set"), None);
        assert_eq!(topics.told("other/a/set"), None);
    }

    proptest! {
        #[test]
        fn every_name_is_read_back_and_is_one_level(id in any::<String>()) {
            for made in [level(&id), camera_level(&id)] {
                prop_assert!(!made.contains(['/', '+', '#', '\0']));
                prop_assert_eq!(name(&made), Some(id.clone()));
            }
            prop_assert!(!TAKEN.contains(&camera_level(&id).as_str()));
        }
    }
}
