//! Settings that libraries read only in the environment, for the whole process. The program restarts with those set that
//! the user has not, and without those that would have code loaded from where others can put it.

use super::arguments::{Variable, start_anew_with};
use crate::{
    config::{Config, Transport},
    source::system,
    trust::search,
};

/// Takes places out of the environment in which others could put code to be loaded, and says so. Does not return
/// where there was one, unless the restart fails.
pub fn repair() {
    let repairs = search::repair(|name| std::env::var_os(name));
    for repair in &repairs {
        super::complain(&format!("warning: {}", repair.says));
    }
    if let Some(error) = start_anew(repairs.into_iter().map(|repair| (repair.name, repair.value)).collect()) {
        super::complain(&format!("warning: the environment cannot be changed: {error}; change it by hand"));
    }
}

/// Sets what the sources of `config` need. Does not return where something was to be set, unless that fails.
///
/// How FFmpeg opens RTSP cameras is one thing for all of them: with some over TCP and some over UDP it is TCP first, then
/// UDP, and opening the others says so.
pub fn set_for(config: &Config) {
    let transports: Vec<Transport> = config
        .sources
        .iter()
        .filter(|source| source.enabled)
        .filter_map(|source| match source.source.to_string() {
            address if address.starts_with("rtsp://") => Some(source.transport),
            // Datagrams would not be encrypted.
            address if address.starts_with("rtsps://") => Some(Transport::Tcp),
            _ => None,
        })
        .collect();
    let datagrams = !transports.is_empty() && transports.iter().all(|transport| *transport == Transport::Udp);
    let options = options(!transports.is_empty(), datagrams);
    let variables = options.iter().cloned().chain(heaps());
    let Some(error) = start_anew(variables.map(|(name, value)| (name, Some(value.into()))).collect()) else {
        return;
    };
    // Without it cameras take a second longer, and no more; datagrams do not come by themselves.
    if let (true, Some((name, value))) = (datagrams, options) {
        super::complain(&format!(
            "warning: 'transport': 'udp' cannot be set ({error}); start the program with {name}='{value}' in the \
             environment"
        ));
    }
}

/// Sets what every run needs, whatever its sources are. Does not return where something was to be set, unless that fails.
pub fn set_usual() {
    // Should it fail, the program needs a little more memory.
    let variables = options(false, false).into_iter().chain(heaps());
    let _ = start_anew(variables.map(|(name, value)| (name, Some(value.into()))).collect());
}

fn options(rtsp: bool, datagrams: bool) -> Option<(&'static str, String)> {
    is_unset(system::OPTIONS_VARIABLE).then(|| (system::OPTIONS_VARIABLE, system::options(rtsp, datagrams)))
}

fn heaps() -> Option<(&'static str, String)> {
    let (name, number) = system::HEAPS;
    is_unset(name).then(|| (name, number.to_owned()))
}

fn is_unset(name: &str) -> bool {
    std::env::var_os(name).is_none()
}

/// `None` where there is nothing to set.
fn start_anew(variables: Vec<Variable>) -> Option<std::io::Error> {
    (!variables.is_empty()).then(|| start_anew_with(&variables))
}
