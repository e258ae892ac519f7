//! The connection to the broker. Its thread alone waits for the network; a broker that is away is tried again with growing
//! delays, and while it is, nothing is gathered for it.

use std::{io, sync::Arc, time::Duration};

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event as Note, LastWill, MqttOptions, Outgoing, Packet,
    QoS, StateError, SubscribeReasonCode, Transport,
};
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};

use super::{
    commands::Commands,
    discovery::{self, Discovery},
    retained::{Payload, Retained, Wanted},
    standing::{Standing, Status},
    topics::Topics,
    tunnel::{Tunnel, reason},
};
use crate::{
    clock::Clock,
    config::{MqttConfig, RetryConfig},
    engine::EngineApi,
    model::{EngineSnapshot, Event},
    outputs::lines::Line,
    source::backoff::Backoff,
};

/// How often it is looked what has changed; so a topic is published at most four times a second.
const TICK: Duration = Duration::from_millis(250);

/// A broker has this long to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// After half as long again without a sign of life the broker publishes the last will.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Messages that wait for the socket.
const REQUESTS: usize = 128;

/// Longest message, each way. Discovery of a camera with very many lines is the longest that is sent.
const LONGEST: usize = 1 << 20;

/// The last totals have this long to reach the broker.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// How long to wait before the broker is tried again.
const RETRY: RetryConfig = RetryConfig {
    max_attempts: 0,
    give_up: false,
    initial: Duration::from_secs(1),
    max: Duration::from_mins(1),
};

/// Answered when the connection has ended in an orderly way.
pub(super) type Ended = crossbeam_channel::Sender<()>;

/// The connection, before and while it is there.
pub(super) struct Link {
    config: MqttConfig,
    client: String,
    engine: Arc<dyn EngineApi>,
    clock: Arc<dyn Clock>,
    status: Arc<Status>,
    topics: Topics,
    retained: Retained,
    discovery: Discovery,
    commands: Commands,
}

/// What a connection is made of.
struct Session {
    client: AsyncClient,
    notes: mpsc::Receiver<Result<Note, ConnectionError>>,
    carries: JoinHandle<()>,
    /// Published messages that the broker acknowledges, and those that it has.
    published: u64,
    acknowledged: u64,
    _tunnel: Option<Tunnel>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carries.abort();
    }
}

impl Link {
    /// A connection that does not begin yet, to a broker that knows the program as `client`.
    pub fn new(
        config: MqttConfig,
        client: String,
        engine: Arc<dyn EngineApi>,
        clock: Arc<dyn Clock>,
        status: Arc<Status>,
    ) -> Self {
        let topics = Topics::new(&config.prefix);
        let discovery = Discovery::new(&config);
        let commands = Commands::new(topics.clone(), Arc::clone(&engine));
        let retained = Retained::default();
        Self { config, client, engine, clock, status, topics, retained, discovery, commands }
    }

    /// Starts its thread, which publishes `events` until `end` asks it to end.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        mut self,
        mut events: mpsc::Receiver<Arc<Event>>,
        mut end: oneshot::Receiver<Ended>,
    ) -> io::Result<()> {
        // Its other thread asks for the addresses of names.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .thread_name("mqtt-names")
            .build()?;
        std::thread::Builder::new().name("mqtt-link".into()).spawn(move || {
            let ended = runtime.block_on(self.run(&mut events, &mut end));
            // A name that is not answered for holds up nothing.
            runtime.shutdown_background();
            drop(ended);
        })?;
        Ok(())
    }

    async fn run(
        &mut self,
        events: &mut mpsc::Receiver<Arc<Event>>,
        end: &mut oneshot::Receiver<Ended>,
    ) -> Option<Ended> {
        let mut backoff = Backoff::new(RETRY, self.clock.uptime().as_nanos() as u64);
        loop {
            let failure = tokio::select! {
                ended = &mut *end => return ended.ok(),
                opened = self.open() => match opened {
                    Ok(mut session) => {
                        backoff.reset();
                        self.connected();
                        match self.talk(&mut session, events, end).await {
                            Ok(ended) => return ended,
                            Err(failure) => failure,
                        }
                    }
                    Err(failure) => failure,
                },
            };
            let delay = backoff.next_delay();
            self.away(failure, delay);
            let until = Instant::now() + delay;
            loop {
                tokio::select! {
                    ended = &mut *end => return ended.ok(),
                    // Lost: nobody is there to hear it.
                    Some(_) = events.recv() => {}
                    () = tokio::time::sleep_until(until) => break,
                }
            }
        }
    }

    fn connected(&self) {
        let before = std::mem::take(&mut *self.status.0.lock());
        let address = self.config.address();
        match before {
            Standing::Well => tracing::info!("MQTT: connected to '{address}'"),
            Standing::Away(..) => tracing::info!("MQTT: '{address}' is back; it has all totals again"),
        }
    }

    fn away(&self, failure: String, delay: Duration) {
        let mut standing = self.status.0.lock();
        if matches!(*standing, Standing::Well) {
            tracing::warn!("MQTT: {failure}; it is tried again, and has all totals as soon as it is back");
        }
        *standing = Standing::Away(failure, self.clock.now() + delay);
    }

    /// Connects, and waits until the broker has accepted.
    async fn open(&self) -> Result<Session, String> {
        let config = &self.config;
        let mut tunnel = None;
        let mut options = if config.encrypted {
            let opened = tunnel.insert(Tunnel::open(config, PATIENCE).await?);
            let mut options = MqttOptions::new(&self.client, opened.socket(), 1);
            options.set_transport(Transport::unix());
            options
        } else {
            MqttOptions::new(&self.client, config.bracketed(), config.port)
        };
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_max_packet_size(LONGEST, LONGEST)
            .set_last_will(LastWill::new(self.topics.available(), "offline", QoS::AtLeastOnce, true));
        if let Some(login) = &config.credentials {
            options.set_credentials(&login.user, login.password.reveal());
        }
        let (client, mut connection) = AsyncClient::new(options, REQUESTS);
        connection.network_options.set_connection_timeout(PATIENCE.as_secs());
        let (sender, mut notes) = mpsc::channel(REQUESTS);
        let carries = tokio::spawn(async move {
            loop {
                let note = connection.poll().await;
                let is_over = note.is_err();
                if sender.send(note).await.is_err() || is_over {
                    return;
                }
            }
        });
        let accepted = notes.recv().await;
        let session = Session { client, notes, carries, published: 0, acknowledged: 0, _tunnel: tunnel };
        match accepted {
            Some(Ok(_)) => Ok(session),
            Some(Err(error)) => Err(self.failure(&error)),
            None => Err(format!("'{}' ends the connection", config.address())),
        }
    }

    fn failure(&self, error: &ConnectionError) -> String {
        let address = self.config.address();
        match error {
            ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => {
                reason(&address, error)
            }
            ConnectionError::NetworkTimeout
            | ConnectionError::FlushTimeout
            | ConnectionError::MqttState(StateError::AwaitPingResp) => format!("'{address}' does not answer"),
            ConnectionError::MqttState(StateError::ConnectionAborted) => {
                format!("'{address}' ends the connection")
            }
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => format!("'{address}' refuses the user name or password; check 'credentials'"),
            ConnectionError::ConnectionRefused(code) => format!("'{address}' refuses the client ({code:?})"),
            _ => format!("'{address}' answers, but does not speak MQTT; check scheme and port"),
        }
    }

    /// Publishes until the connection breaks, or the end is asked for.
    async fn talk(
        &mut self,
        session: &mut Session,
        events: &mut mpsc::Receiver<Arc<Event>>,
        end: &mut oneshot::Receiver<Ended>,
    ) -> Result<Option<Ended>, String> {
        self.subscribe(session);
        self.retained.forget_sent();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ended = &mut *end => {
                    self.gather(false);
                    self.last_words(session).await;
                    return Ok(ended.ok());
                }
                note = session.notes.recv() => self.hear(session, note)?,
                Some(event) = events.recv() => self.publish_event(session, &event),
                _ = ticks.tick() => {
                    self.commands.settle();
                    self.gather(true);
                }
            }
            self.publish(session);
        }
    }

    fn subscribe(&self, session: &Session) {
        if self.config.commands {
            // There is room: nothing was asked of the client before.
            let _ = session.client.try_subscribe(self.topics.all_set(), QoS::AtLeastOnce);
        }
        if self.config.home_assistant {
            let _ = session.client.try_subscribe(discovery::STATUS, QoS::AtMostOnce);
        }
    }

    fn hear(
        &mut self,
        session: &mut Session,
        note: Option<Result<Note, ConnectionError>>,
    ) -> Result<(), String> {
        let note = note.ok_or_else(|| format!("'{}' ends the connection", self.config.address()))?;
        match note.map_err(|error| self.failure(&error))? {
            Note::Incoming(Packet::PubAck(_)) => session.acknowledged += 1,
            Note::Incoming(Packet::SubAck(answer))
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) =>
            {
                tracing::warn!(
                    "MQTT: '{}' lets this user hear nothing; commands do not come",
                    self.config.address()
                );
            }
            // Discovery is retained: what Home Assistant said earlier is answered already.
            Note::Incoming(Packet::Publish(message))
                if message.topic == discovery::STATUS
                    && !message.retain
                    && &message.payload[..] == b"online" =>
            {
                self.retained.say_again(discovery::BEGINNING);
            }
            Note::Incoming(Packet::Publish(message)) if self.config.commands => {
                self.commands.take(&message.topic, &message.payload, message.retain);
            }
            _ => {}
        }
        Ok(())
    }

    /// What the broker should hold by now.
    fn gather(&mut self, is_online: bool) {
        let snapshot = self.engine.snapshot();
        let mut wanted = wanted(&self.topics, &snapshot);
        let word: &[u8] = if is_online { b"online" } else { b"offline" };
        wanted.insert(self.topics.available(), word.into());
        if self.config.home_assistant {
            let told = self.discovery.of(&snapshot);
            wanted.extend(told.iter().map(|(topic, payload)| (topic.clone(), Arc::clone(payload))));
        }
        self.retained.want(wanted);
    }

    fn publish(&mut self, session: &mut Session) {
        let (client, published) = (&session.client, &mut session.published);
        self.retained.say(|topic, payload| {
            let is_taken = client.try_publish(topic, QoS::AtLeastOnce, true, payload.to_vec()).is_ok();
            *published += u64::from(is_taken);
            is_taken
        });
    }

    fn publish_event(&self, session: &Session, event: &Event) {
        let Ok(line) = serde_json::to_vec(&Line::from(event)) else { return };
        // What finds no room is lost; totals say the same.
        let _ = session.client.try_publish(self.topics.event(&event.source), QoS::AtMostOnce, false, line);
    }

    /// Publishes what is left, waits until the broker has it, and says goodbye, so that there is no last will.
    async fn last_words(&mut self, session: &mut Session) {
        let deadline = Instant::now() + LAST_WORDS;
        loop {
            self.publish(session);
            if self.retained.is_said() && session.acknowledged >= session.published {
                break;
            }
            let Ok(note) = timeout_at(deadline, session.notes.recv()).await else { return };
            if self.hear(session, note).is_err() {
                return;
            }
        }
        if session.client.try_disconnect().is_err() {
            return;
        }
        while let Ok(Some(Ok(note))) = timeout_at(deadline, session.notes.recv()).await {
            if note == Note::Outgoing(Outgoing::Disconnect) {
                // The tunnel passes it on.
                sleep(Duration::from_millis(20)).await;
                return;
            }
        }
    }
}

/// The states and totals that `snapshot` shows. A reset sets totals to zero, as on the screen.
fn wanted(topics: &Topics, snapshot: &EngineSnapshot) -> Wanted {
    let number = |number: &dyn ToString| -> Payload { number.to_string().into_bytes().into() };
    let mut wanted = Wanted::new();
    for source in &snapshot.sources {
        wanted.insert(topics.state(&source.id), source.state.kind().word().as_bytes().into());
        for line in &source.lines {
            wanted.insert(topics.total(&source.id, &line.name, "in"), number(&line.total_in));
            wanted.insert(topics.total(&source.id, &line.name, "out"), number(&line.total_out));
        }
    }
    for area in snapshot.areas.iter() {
        wanted.insert(topics.occupancy(&area.name), number(&area.inside));
    }
    wanted
}
