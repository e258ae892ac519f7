//! What the configuration says of the fleet that this program is a node of.

use crate::config::{
    FleetConfig, ServerUrl,
    keys::{FLEET, FleetKeys},
    section::Field,
};

/// A server, and who this node is.
pub(super) fn fleet(field: &Field<'_>) -> Option<FleetConfig> {
    let section = field.section::<FleetKeys>()?;
    let url = section.required(&FLEET.url).and_then(|field| {
        let text = field.text()?;
        ServerUrl::parse(&text).map_err(|problem| field.problem(&problem)).ok()
    });
    let (node, site) = (section.read(&FLEET.node), section.read(&FLEET.site));
    let (credentials, ca) = (section.read(&FLEET.credentials), section.read(&FLEET.ca));
    let (key_file, room) = (section.read(&FLEET.key_file), section.read(&FLEET.room));
    let count_while_refused = section.read(&FLEET.count_while_refused).unwrap_or(false);
    Some(FleetConfig { url: url?, node, site, credentials, ca, key_file, room, count_while_refused })
}
