//! What a part of the configuration says of evidence.

use crate::config::{
    EvidenceChoice, EvidenceSettings,
    keys::{EVIDENCE, EvidenceKeys},
    section::Field,
};

/// `true`, `false`, or an object with what differs from the default.
pub(super) fn evidence(field: &Field<'_>) -> Option<EvidenceChoice> {
    if field.is_truth() {
        let is_on = field.boolean()?;
        return Some(if is_on {
            EvidenceChoice::On(EvidenceSettings::default())
        } else {
            EvidenceChoice::Off
        });
    }
    if !field.is_object() {
        return field.expected("true, false or an object {..}");
    }
    let section = field.section::<EvidenceKeys>()?;
    Some(EvidenceChoice::On(EvidenceSettings {
        keep: section.read(&EVIDENCE.keep),
        size: section.read(&EVIDENCE.size),
        blur: section.read(&EVIDENCE.blur),
    }))
}
