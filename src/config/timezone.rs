//! The time zone of the machine, and what is said when it is none.

use std::path::Path;

use jiff::tz::TimeZone;

/// Where the zone of the machine stands.
const MACHINE: &str = "/etc/localtime";

/// The zone of the environment (`TZ`), else the machine's; UTC and a sentence where that is not known.
pub(super) fn system() -> (TimeZone, Option<String>) {
    let set = std::env::var_os("TZ").filter(|zone| !zone.is_empty());
    let what = match (TimeZone::try_system(), &set) {
        (Ok(zone), _) if !zone.is_unknown() => return (zone, None),
        (_, Some(zone)) => format!("'{}' (TZ)", super::text::printable(&zone.to_string_lossy())),
        (_, None) if Path::new(MACHINE).is_symlink() || Path::new(MACHINE).exists() => {
            format!("of '{MACHINE}'")
        }
        // A machine without a zone of its own keeps UTC.
        (_, None) => return (TimeZone::UTC, None),
    };
    let said = format!(
        "the time zone {what} is not known here: days and hours are those of UTC; set TZ, or 'timezone' in the \
         configuration, to one such as Europe/Berlin"
    );
    (TimeZone::UTC, Some(said))
}
