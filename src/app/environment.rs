//! Settings that libraries read only in the environment, for the whole process. The program starts anew with those set that
//! the user has not.

use crate::{
    config::{Config, Transport},
    source::system,
};

/// Sets what the sources of `config` need. Does not return where something was to be set, unless that fails.
///
/// How FFmpeg opens RTSP cameras is one thing for all of them: with some over TCP and some over UDP it is TCP first, then
/// UDP, and opening the others says so.
pub fn set_for(config: &Config) {
    let transports: Vec<Transport> = config
        .sources
        .iter()
        .filter(|source| source.enabled && source.source.to_string().starts_with("rtsp"))
        .map(|source| source.transport)
        .collect();
    let datagrams = !transports.is_empty() && transports.iter().all(|transport| *transport == Transport::Udp);
    let options = (!transports.is_empty()).then(|| (system::OPTIONS_VARIABLE, system::options(datagrams)));
    let options = options.filter(|(name, _)| is_unset(name));
    let Some(error) = start_anew(options.iter().cloned().chain(heaps()).collect()) else { return };
    // Without it cameras take a second longer, and no more; datagrams do not come by themselves.
    if let (true, Some((name, value))) = (datagrams, options) {
        super::complain(&format!(
            "warning: 'transport': 'udp' cannot be set ({error}); start the program with {name}='{value}' in the \
             environment"
        ));
    }
}

/// Sets what every run needs, whatever its sources are. Does not return where something was to be set, unless that fails.
pub fn limit_heaps() {
    // Should it fail, the program needs a little more memory.
    let _ = start_anew(heaps().into_iter().collect());
}

fn heaps() -> Option<(&'static str, String)> {
    let (name, number) = system::HEAPS;
    is_unset(name).then(|| (name, number.to_owned()))
}

fn is_unset(name: &str) -> bool {
    std::env::var_os(name).is_none()
}

/// `None` where there is nothing to set.
fn start_anew(variables: Vec<(&'static str, String)>) -> Option<std::io::Error> {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (!variables.is_empty()).then(|| super::arguments::start_anew_with(&variables))
}
