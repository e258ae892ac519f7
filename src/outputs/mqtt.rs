//! States, totals and events for an MQTT broker, and discovery for Home Assistant.
//!
//! Counts are published as totals and retained, so that a broker that was away has the right numbers as soon as it is back,
//! whatever was lost in between. Everything retained is published again over each connection; between, a topic is published
//! when it changes, at most four times a second, with its latest value. Only events of a time without a broker are lost.
//!
//! | part | does |
//! | --- | --- |
//! | `topics` | names of topics, and names out of topics |
//! | `retained` | what the broker should hold and does not yet |
//! | `discovery` | what Home Assistant is told |
//! | `commands` | what is asked for by MQTT |
//! | `standing` | whether the broker is there |
//! | `tunnel` | encrypted connections |
//! | `link` | the connection: one thread, which alone waits for the network |

mod commands;
mod discovery;
mod link;
mod retained;
mod standing;
mod topics;
mod tunnel;

use std::{
    fmt::Write as _,
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use self::{link::Link, standing::Status};
use super::{BothClocks, Gauge, Output, Reading, Running, Setup};
use crate::{
    clock::Clock,
    config::{MqttConfig, known},
    engine::EngineApi,
    model::Event,
};

/// Events that may wait for the connection; more are lost.
const EVENTS: usize = 1024;

/// The end waits at most this long until the broker has the last totals.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Starts to tell the broker of `config` what `engine` shows, and to ask `engine` for what is asked there, if it may be. `output` is the
/// folder of the results, which makes the program known to the broker as the same one after a restart. Waits for nothing: while
/// the broker is away, it is tried again, and a notice says so.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    config: &MqttConfig,
    output: &Path,
    engine: Arc<dyn EngineApi>,
    clock: Arc<dyn Clock>,
) -> io::Result<Running> {
    config.credentials.iter().for_each(|login| known().learn_login(login));
    let status = Arc::new(Status::default());
    let (events, heard) = mpsc::channel(EVENTS);
    let (end, ending) = oneshot::channel();
    let client = client_id(config, output);
    let link = Link::new(config.clone(), client, engine, Arc::clone(&clock), Arc::clone(&status));
    link.start(heard, ending)?;
    Running::start(Mqtt { events, end: Some(end), status, done: Arc::default(), clock })
}

/// The same for each start of the program on this machine with this folder: the broker then takes a new connection for the old
/// one, whose last will would else say later that the program is gone. At most 23 characters, which every broker takes.
fn client_id(config: &MqttConfig, output: &Path) -> String {
    let machine = ["/etc/machine-id", "/proc/sys/kernel/hostname"]
        .iter()
        .find_map(|file| fs::read_to_string(file).ok().filter(|text| !text.trim().is_empty()))
        .unwrap_or_default();
    let folder = std::path::absolute(output).unwrap_or_else(|_| output.to_owned());
    let mut hash = Sha256::new();
    hash.update(format!("{}\n{}\n{}", machine.trim(), folder.display(), config.prefix));
    hash.finalize().iter().take(8).fold("pcount-".to_owned(), |mut id, byte| {
        // Writing to a text does not fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

struct Mqtt {
    events: mpsc::Sender<Arc<Event>>,
    end: Option<oneshot::Sender<crossbeam_channel::Sender<()>>>,
    status: Arc<Status>,
    done: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl Output for Mqtt {
    fn setup(&self) -> Setup {
        Setup::new("mqtt", EVENTS, Arc::clone(&self.clock))
    }

    fn gauge(&self) -> Box<Gauge> {
        let (status, done, clock) =
            (Arc::clone(&self.status), Arc::clone(&self.done), Arc::clone(&self.clock));
        Box::new(move || Reading {
            done: done.load(Ordering::SeqCst),
            notices: status.notice(clock.now()).into_iter().collect(),
            ..Reading::default()
        })
    }

    fn event(&mut self, event: &Arc<Event>, _: BothClocks) {
        // What finds no room is lost, as it is while the broker is away: totals say the same.
        let _ = self.events.try_send(Arc::clone(event));
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    fn flush(&mut self) -> bool {
        true
    }

    fn close(&mut self) -> bool {
        let Some(end) = self.end.take() else { return true };
        let (done, wait) = crossbeam_channel::bounded(0);
        // Nothing is ever sent: it ends when the connection has, or with patience.
        if end.send(done).is_ok() {
            let _ = wait.recv_timeout(LAST_WORDS);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(prefix: &str) -> MqttConfig {
        MqttConfig {
            host: "h".into(),
            port: 1,
            encrypted: false,
            credentials: None,
            ca: None,
            prefix: prefix.into(),
            home_assistant: true,
            commands: false,
        }
    }

    #[test]
    fn a_program_has_one_id_for_the_broker_whenever_it_starts() {
        let id = client_id(&config("pcount"), Path::new("out"));
        assert_eq!(id, client_id(&config("pcount"), Path::new("out")));
        assert_ne!(id, client_id(&config("pcount"), Path::new("other")));
        assert_ne!(id, client_id(&config("shop"), Path::new("out")));
        assert!(
            id.len() <= 23 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id}"
        );
    }
}
