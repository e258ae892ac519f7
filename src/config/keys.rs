//! Every key of the configuration file, declared once: its name, what it may hold, what holds where it is not given,
//! and what it means. The validator reads by these declarations, the JSON Schema and the tables of
//! `docs/configuration.md` are made of them. Messages and tables keep the order of the declarations.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    EngineChoice, Hwaccel, ID_LENGTH, LABEL_LENGTH, LogLevel, Reload, Theme, TrackerChoice, Transport,
    WebhookEvent, defaults,
    key::{Key, KeyRow, Keys},
    kinds::{
        Existing, Group, Label, List, Number, PathText, Point, Shape, Size, Span, Text, Truth, Whole, Words,
    },
    shapes::{CameraSource, DetectorName, FormatName, KeysFile, ScheduleFile},
    text,
};
use crate::{geometry::Anchor, model::Strategy};

const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * DAY.as_secs())
}

/// How many more people may have come in than gone out, or be in a zone.
const PEOPLE: Whole<i64> = Whole(1..=1_000_000);

/// The points of a person that may have to cross or to be inside.
const ANCHORS: Words<Anchor> =
    Words(&[("foot", Anchor::Foot), ("center", Anchor::Center), ("head", Anchor::Head)]);

/// Declares the keys of one kind of object; `and` names another kind whose keys follow.
macro_rules! keys {
    (
        $(#[doc = $about:literal])+
        $group:ident: $structure:ident = $definition:literal $(and $more:ident)? {
            $(
                $(#[doc = $meaning:literal])+
                $name:ident $(($written:literal))?: $kind:ty = $make:expr $(, default $default:expr)? $(, required $fix:literal)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        pub(super) struct $structure {
            $(
                $(#[doc = $meaning])+
                pub $name: Key<$kind>,
            )+
        }

        $(#[doc = $about])+
        pub(super) static $group: $structure = $structure {
            $($name: Key {
                name: keys!(@name $name $($written)?),
                fix: keys!(@optional $($fix)?),
                kind: $make,
            },)+
        };

        impl Keys for $structure {
            const DEFINITION: &'static str = $definition;

            fn about() -> &'static str {
                concat!($($about),+).trim()
            }

            fn names() -> Vec<&'static str> {
                #[allow(unused_mut, reason = "only some kinds have more keys")]
                let mut names = vec![$($group.$name.name),+];
                $(names.extend($more::names());)?
                names
            }

            fn rows() -> Vec<KeyRow> {
                #[allow(unused_mut, reason = "only some kinds have more keys")]
                let mut rows = vec![$(KeyRow {
                    name: $group.$name.name,
                    meaning: concat!($($meaning),+).trim(),
                    default: keys!(@optional $(String::from($default))?),
                    is_required: $group.$name.fix.is_some(),
                    kind: &$group.$name.kind,
                }),+];
                $(rows.extend($more::rows());)?
                rows
            }
        }

        impl JsonSchema for $structure {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                Self::DEFINITION.into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                object::<Self>(generator)
            }
        }
    };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $written:literal) => { $written };
    (@optional) => { None };
    (@optional $value:expr) => { Some($value) };
}

keys! {
    /// Configuration of pcount-tui. Paths are relative to the folder of this file; `${NAME}` in any text is
    /// replaced by the environment variable of that name.
    FILE: FileKeys = "ConfigFile" {
        /// Address of this schema, for editors; not used by the program.
        schema("$schema"): Text = Text;
        /// Settings of the whole program.
        parallel_config: Group<ParallelKeys> = Group::new();
        /// Live sources: the newest frame wins.
        cameras: List<Group<CameraKeys>> = List::of(Group::new());
        /// Sources that are read to their end: no frame is lost.
        videos: List<Group<VideoKeys>> = List::of(Group::new());
        /// Appearance and keys of the dashboard.
        tui: Group<TuiKeys> = Group::new();
    }
}

keys! {
    /// Settings of the whole program.
    PARALLEL: ParallelKeys = "ParallelFile" {
        /// Workers at start, 1 to `max_workers`. Where that is less, it is the default.
        worker_count: Whole<usize> = Whole(1..=defaults::WORKERS_LIMIT), default defaults::WORKER_COUNT.to_string();
        /// Most workers, up to 256. `--workers` may raise it; where `worker_count` is more, it is the default.
        max_workers: Whole<usize> = Whole(1..=defaults::WORKERS_LIMIT), default defaults::MAX_WORKERS.to_string();
        /// Folder for CSV files and the ledger.
        result_output: PathText = PathText, default code(defaults::RESULT_OUTPUT);
        /// Least severe level written to the logs: `ERROR`, `WARN`, `INFO` or `DEBUG`.
        log_level: Words<LogLevel> = Words(&LogLevel::NAMES), default usual(&LogLevel::NAMES);
        /// `shared`: all sources share the workers; `dedicated`: each camera has its own.
        strategy: Words<Strategy> = Words(&Strategy::NAMES), default usual(&Strategy::NAMES);
        /// Detector of sources that name none: `auto`, `builtin`, `motion`, or an object that names a model file.
        detector: Shape<DetectorFile> = Shape::new("`auto`, `builtin`, `motion` or object"), default "`auto`";
        /// What runs the detectors `auto` and `builtin`: `onnxruntime` or `opencv`.
        engine: Words<EngineChoice> = Words(&EngineChoice::NAMES), default usual(&EngineChoice::NAMES);
        /// Kind of device that decodes sources which name none, by FFmpeg's names: `vaapi`, `cuda`, `qsv`, `vdpau` or `drm`; this
        /// was built without such a device and has not been tested on one. Where there is none, or it does not decode a
        /// stream, the processor does, and a sentence in the log says why.
        hwaccel: Words<Hwaccel> = Words(&Hwaccel::NAMES), default usual(&Hwaccel::NAMES);
        /// Folder searched for model files. In a folder named here they may belong to anybody, elsewhere to root or you.
        models: PathText = PathText, default format!("{} beside the file, then where the program is installed", code(defaults::MODELS));
        /// Folder of the log files. It may be one that other programs write to.
        log_dir: PathText = PathText, default format!("{} in `result_output`", code(defaults::LOG_DIR));
        /// Size at which a log file is rotated.
        max_log_size: Size = Size(64 << 10..=1 << 40), default code(text::shown_size(defaults::MAX_LOG_SIZE));
        /// Rotated files kept for each log. Files that something else has rotated are left alone.
        max_log_files: Whole<usize> = Whole(0..=1000), default defaults::MAX_LOG_FILES.to_string();
        /// How far the charts reach back, `1m` to `31days`.
        history: Span = Span(MINUTE..=days(31)), default duration(defaults::HISTORY);
        /// Videos open at the same time; the others wait.
        max_open_sources: Whole<usize> = Whole(1..=1024), default defaults::MAX_OPEN_SOURCES.to_string();
        /// Time zone of days, hours and reports, such as `Europe/Berlin`.
        timezone: Text = Text, default "the machine's";
        /// Opening hours of all cameras, such as `Mon-Fri 08:00-20:00`, several of them separated by `;` or as a list. Outside of them a camera is closed.
        schedule: Shape<ScheduleFile> = Shape::new("text, or list of text"), default "`always`";
        /// Memory use at which a source is closed: the one that has grown or is just being opened, else the camera of the lowest priority. It is reopened when there is memory again.
        memory_limit: Size = Size(64 << 20..=1 << 44), default "none";
        /// Whether crossings are kept in a database under `result_output`.
        ledger: Truth = Truth, default "true";
        /// How long the ledger keeps crossings, at least a day. Nothing is removed until the program has run for a day without
        /// the wall clock being set (restarts do not matter), and never more than a tenth of all in an hour without a notice.
        ledger_retention: Span = Span(DAY..=days(36_500)), default "for ever";
        /// Whether snapshots of crossings are recorded, for all sources: `true`, `false`, or an object with `keep`, `size` and `blur`. See
        /// `docs/privacy.md` first.
        evidence: Shape<EvidenceFile> = Shape::new("`true`, `false` or object"), default "false";
        /// When a changed file takes effect while the program runs: `asked`, with `:reload` on the dashboard, or `auto`, by itself.
        reload: Words<Reload> = Words(&Reload::NAMES), default usual(&Reload::NAMES);
        /// Where other programs may use the API over TCP, beside the socket: `listen` and `token_file`.
        http: Group<HttpKeys> = Group::new(), default "the socket alone";
        /// The fleet that `serve` is a node of, on a NATS server: `url`, `node`, `site`, `credentials`, `ca`, `key_file`, `room`. See `docs/fleet.md`.
        fleet: Group<FleetKeys> = Group::new(), default "none";
        /// Where people are counted who come by several lines, also of several sources: `name`, `lines`, `threshold`, `reset`, `capacity`.
        areas: List<Group<AreaKeys>> = List::of(Group::new()), default "none";
        /// The MQTT broker that is told states, totals and events: `url`, `credentials`, `ca`, `prefix`, `home_assistant` and `commands`.
        mqtt: Group<MqttKeys> = Group::new(), default "none";
        /// Servers that are told of events: `url`, `events`, `secret_file`, `name`, `ca`. See `docs/webhooks.md`.
        webhooks: List<Group<WebhookKeys>> = List::of(Group::new()), default "none";
    }
}

keys! {
    /// A camera.
    CAMERA: CameraKeys = "CameraFile" and SourceKeys {
        /// Unique id; names the camera's log file.
        camera_id: Label = Label(ID_LENGTH), required "give it an id of its own, such as \"camera_01\"";
        /// What to open: an address (`rtsp://`, `rtsps://`, `http://`, `https://`), a device, a file or a scene (`demo:lobby`).
        source: Shape<CameraSource> = Shape::new("text, or the number of a device"), required "name what to open, such as \"rtsp://HOST/PATH\"";
    }
}

keys! {
    /// A video.
    VIDEO: VideoKeys = "VideoFile" and SourceKeys {
        /// Unique id; names the video's log file.
        video_id: Label = Label(ID_LENGTH), required "give it an id of its own, such as \"video_01\"";
        /// What to open: a file, a folder or pattern of videos, the address of a file (`http://`, `https://`, `file://`) or a scene (`demo:plaza`).
        path: Text = Text, required "name the video file";
    }
}

keys! {
    /// What cameras and videos have in common.
    SOURCE: SourceKeys = "SourceFile" {
        /// User name and password, instead of writing them into the address: `user` and `password`, or `env` or `file`, which hold both.
        credentials: Group<CredentialsKeys> = Group::new(), default "none";
        /// Name for people.
        alias: Label = Label(LABEL_LENGTH), default "the id";
        /// Where the camera is mounted; sources of one location are grouped.
        location: Label = Label(LABEL_LENGTH), default "none";
        /// In minus out at which the source is at its limit; above, it is over it.
        threshold: Whole<i64> = PEOPLE, default "none";
        /// Disabled sources are listed and not opened.
        enabled: Truth = Truth, default "true";
        /// Counting lines: `name`, `a`, `b` and `anchor` of each.
        lines: List<Group<LineKeys>> = List::of(Group::new()), default "one across the middle, downwards is in, anchor `center`";
        /// Zones whose occupancy is counted: `name`, `points`, `anchor` and `threshold` of each.
        zones: List<Group<ZoneKeys>> = List::of(Group::new()), default "none";
        /// Regions where nobody is seen, such as a screen, a mirror or the street behind a window: each the corners `[x, y]` of a
        /// polygon in 0..1 of width and height, at least three.
        ignore: List<List<Point>> = List::of(List { least: 3, items: Point }), default "none";
        /// Least height of a person, as a share of the frame's height: what is less tall is no person.
        min_height: Number = Number(0.0..=1.0), default "none";
        /// Greatest height of a person, as a share of the frame's height: what is taller is no person.
        max_height: Number = Number(0.0..=1.0), default "none";
        /// `auto`, `builtin`, `motion`, or an object that names a model file.
        detector: Shape<DetectorFile> = Shape::new("`auto`, `builtin`, `motion` or object"), default "the program's";
        /// `motion`, or `centroid`: tracker and counting rule of the original program, for comparison.
        tracker: Words<TrackerChoice> = Words(&TrackerChoice::NAMES), default usual(&TrackerChoice::NAMES);
        /// Frames skipped after each detection run. Adaptive: it runs often near a line, seldom where nothing moves.
        skip_frames: Whole<u32> = Whole(0..=10_000), default "adaptive";
        /// Highest number of detection runs per second; not together with `skip_frames`.
        detect_fps: Number = Number(0.1..=1000.0), default "adaptive";
        /// Sources of higher priority are served first, -1000 to 1000.
        priority: Whole<i32> = Whole(-1000..=1000), default "0";
        /// Reconnecting with growing delays: `max_attempts`, `give_up`, `initial` and `max`.
        retry: Group<RetryKeys> = Group::new();
        /// A camera that sends nothing for this long is reconnected.
        stall_timeout: Span = Span(SECOND..=DAY), default duration(defaults::STALL_TIMEOUT);
        /// An attempt to open it is given up after this long.
        open_timeout: Span = Span(SECOND..=Duration::from_mins(10)), default duration(defaults::OPEN_TIMEOUT);
        /// RTSP over `tcp` or `udp`; with `tcp` a camera that offers nothing else is read over UDP all the same.
        transport: Words<Transport> = Words(&Transport::NAMES), default usual(&Transport::NAMES);
        /// Number of the video stream to read, where a source has several (as `ffprobe` counts them). The best is the one that its
        /// container recommends; of an HLS address the smallest that is large enough.
        stream: Whole<usize> = Whole(0..=99), default "the best";
        /// Kind of device that decodes it, as in `parallel_config`.
        hwaccel: Words<Hwaccel> = Words(&Hwaccel::NAMES), default "the program's";
        /// Whether a camera may sleep: while nobody is there and nothing moves only its key frames are decoded, where they are at
        /// most two seconds apart.
        sleep: Truth = Truth, default "true";
        /// Opening hours of a camera, in place of those in `parallel_config`; `always`: it has none. Videos have no hours.
        schedule: Shape<ScheduleFile> = Shape::new("text, or list of text"), default "the program's";
        /// Whether the people who go in come out on the same day, over a line of this source or of another closed one of its `location`;
        /// reports name the days on which the counts say otherwise.
        closed: Truth = Truth, default "false";
        /// Which certificates an `https://` or `rtsps://` source trusts: `ca` and `verify`.
        tls: Group<TlsKeys> = Group::new(), default "verified by the system's certificates";
        /// Whether snapshots of its crossings are recorded, as in `parallel_config`; `size` is then the limit of this source alone.
        evidence: Shape<EvidenceFile> = Shape::new("`true`, `false` or object"), default "the program's";
        /// In a file for `fleet apply`: the site whose nodes can reach it. Means nothing to a single machine.
        site: Label = Label(ID_LENGTH), default "every node";
    }
}

keys! {
    /// A counting line. *In* is the crossing to the right-hand side when walking from `a` to `b` (y points down).
    LINE: LineKeys = "LineFile" {
        /// Unique in its source.
        name: Label = Label(LABEL_LENGTH), default "`line_1` and so on";
        /// Start `[x, y]` in 0..1 of width and height.
        a: Point = Point, required "give the line its start as [x, y]";
        /// End `[x, y]` in 0..1 of width and height.
        b: Point = Point, required "give the line its end as [x, y]";
        /// Point of a person that must cross: `foot`, `center` or `head`.
        anchor: Words<Anchor> = ANCHORS, default "`center`";
    }
}

keys! {
    /// An area of the frame.
    ZONE: ZoneKeys = "ZoneFile" {
        /// Unique in its source.
        name: Label = Label(LABEL_LENGTH), default "`zone_1` and so on";
        /// Corners `[x, y]` in 0..1 of width and height, at least three.
        points: List<Point> = List { least: 3, items: Point }, required "list at least three corners, each as [x, y]";
        /// Point of a person that must be inside: `foot`, `center` or `head`.
        anchor: Words<Anchor> = ANCHORS, default "`foot`";
        /// People inside from which an alert is raised.
        threshold: Whole<i64> = PEOPLE, default "none";
    }
}

keys! {
    /// A model and how to run it.
    MODEL: ModelKeys = "ModelFile" {
        /// How input and output of the file are laid out: `pcount`, `rtmdet`, `yolox`, `ssd-prior` or `caffe-ssd`; or `builtin`, the
        /// embedded model, which takes no file.
        format: Shape<FormatName> = Shape::new("`pcount`, `rtmdet`, `yolox`, `ssd-prior`, `caffe-ssd` or `builtin`"),
            required "say how the model is laid out: pcount, rtmdet, yolox, ssd-prior or caffe-ssd; or builtin";
        /// Weights: `.onnx`, or `.caffemodel` for `caffe-ssd`. Needed for all formats but `builtin`.
        model: Existing = Existing;
        /// Network description; `caffe-ssd` only.
        prototxt: Existing = Existing;
        /// Network input `[width, height]` in pixels.
        input: Shape<[u32; 2]> = Shape::new("`[width, height]`, 32 to 2048 each"), default "chosen by the source";
        /// Score from which a detection is high-confidence, 0.01 to 1.
        confidence: Number = Number(0.01..=1.0), default "the format's own";
        /// What runs it: `onnxruntime` or `opencv`.
        engine: Words<EngineChoice> = Words(&EngineChoice::NAMES), default usual(&EngineChoice::NAMES);
    }
}

keys! {
    /// Reconnecting. A connection that delivered frames is no failed attempt.
    RETRY: RetryKeys = "RetryFile" {
        /// Failed attempts in a row after which a camera is marked as failed and raises an alert; it is still retried, every `max`. 0:
        /// it is never marked.
        max_attempts: Whole<u32> = Whole(0..=1_000_000), default defaults::RETRY_MAX_ATTEMPTS.to_string();
        /// Whether a camera that is marked as failed is no longer retried.
        give_up: Truth = Truth, default "false";
        /// Delay before the first new attempt; doubles with each failed one.
        initial: Span = Span(TENTH..=DAY), default duration(defaults::RETRY_INITIAL);
        /// Longest delay.
        max: Span = Span(TENTH..=DAY), default duration(defaults::RETRY_MAX);
    }
}

keys! {
    /// Which certificates an encrypted connection trusts.
    TLS: TlsKeys = "TlsFile" {
        /// PEM file of the certificates trusted for this source, in place of the system's: an authority's, or the camera's own, which
        /// is then accepted as it is, whatever names and dates it holds.
        ca: Existing = Existing, default "the system's";
        /// `false` accepts any certificate: anybody between here and the camera can read the password.
        verify: Truth = Truth, default "true";
    }
}

keys! {
    /// Where other programs may use the API over TCP.
    HTTP: HttpKeys = "HttpFile" {
        /// Address and port, such as `127.0.0.1:9178`. Other machines need a token.
        listen: Text = Text, required "write an address and a port, such as \"127.0.0.1:9178\"";
        /// File with a token a line, as `NAME:TOKEN`, of 16 characters or more, which only its owner can read (mode 0600). With a token
        /// the whole API is open; without one it is read-only, from this machine alone.
        token_file: PathText = PathText, default "none";
    }
}

keys! {
    /// The fleet that `serve` is a node of.
    FLEET: FleetKeys = "FleetFile" {
        /// Address of the NATS server, `nats://HOST:4222` or encrypted `tls://HOST:4222`; of a cluster several, separated by commas.
        url: Text = Text, required "name the NATS server, such as \"nats://10.0.0.5:4222\"";
        /// Name of this node, unique in the fleet.
        node: Label = Label(ID_LENGTH), default "the host's name";
        /// Where this node is: it takes the sources of this site, and those without one.
        site: Label = Label(ID_LENGTH), default "none";
        /// File of NATS credentials (`.creds`), or with the key of a user (`fleet user`), which only its owner can read.
        credentials: PathText = PathText, default "none";
        /// PEM file of certificates that are trusted besides the system's.
        ca: PathText = PathText, default "the system's alone";
        /// File with the key of the fleet (`fleet key`), which only its owner can read: the node counts only sources that are sealed with it.
        key_file: PathText = PathText, default "none: only sources that are not sealed";
        /// How many sources it takes from the fleet.
        room: Whole<usize> = Whole(0..=10_000), default "as many as the machine has room for";
        /// Whether it counts on while connections to the server are refused, which they are while no server runs. Only where nothing stands between them that could refuse in its place: no firewall that rejects, no tunnel, no container's port, no load balancer.
        count_while_refused: Truth = Truth, default "false";
    }
}

keys! {
    /// What several lines lead into, where people are counted.
    AREA: AreaKeys = "AreaFile" {
        /// Unique name, which no source has as its id: letters, digits, spaces, `_`, `-` and `.`.
        name: Label = Label(ID_LENGTH), required "give it a name of its own, such as \"hall\"";
        /// Lines that lead into it, each once: `SOURCE/LINE`, `SOURCE/*` for all lines of a source that are not named themselves, with `!` in front where `in` leads out.
        lines: List<Text> = List::of(Text), required "name those that lead into the area, such as [\"camera_01/door\"]";
        /// Number of people inside from which on there is an alert.
        threshold: Whole<i64> = PEOPLE, default "none";
        /// Local time (`timezone`) at which nobody is inside, such as `04:00`: the number becomes 0 as soon as nobody has crossed for a minute, at the latest half an hour later.
        reset: Text = Text, default "never";
        /// People who may be inside at most; shown beside the number.
        capacity: Whole<u64> = Whole(1..=1_000_000), default "none";
    }
}

keys! {
    /// The MQTT broker that is told. See `docs/mqtt.md`.
    MQTT: MqttKeys = "MqttFile" {
        /// Its address: `mqtts://HOST` (encrypted, port 8883) or `mqtt://HOST` (port 1883), with another port behind a colon.
        url: Text = Text, required "write its address, such as \"mqtts://broker.lan\"";
        /// User name and password: `user` and `password`, or `env` or `file`, which hold both.
        credentials: Group<CredentialsKeys> = Group::new(), default "none";
        /// PEM file of the certificates trusted for `mqtts://`, in place of the system's: an authority's, or the broker's own.
        ca: Existing = Existing, default "the system's";
        /// What every topic begins with. Programs that share a broker need one each.
        prefix: Text = Text, default code(defaults::MQTT_PREFIX);
        /// Whether Home Assistant is told what there is, so that it shows it by itself.
        home_assistant: Truth = Truth, default "true";
        /// Whether `pause`, `resume` and `reset` are taken from the topic `PREFIX/CAMERA/set`, from every client that the broker lets
        /// publish there.
        commands: Truth = Truth, default "false";
    }
}

keys! {
    /// A server that is told of events.
    WEBHOOK: WebhookKeys = "WebhookFile" {
        /// Where events are sent: an address that begins with `https://`, or with `http://` on this machine.
        url: Text = Text, required "write the address of the server, such as \"https://example.org/hooks/people\"";
        /// File with the secret that signs what is sent, `whsec_` and base64, which only its owner can read (mode 0600).
        secret_file: PathText = PathText, required "name a file that holds a secret such as \"whsec_..\"";
        /// What is sent: `crossing`, `reset`, `state`, `threshold`, `correction`.
        events: List<Words<WebhookEvent>> = List { least: 1, items: Words(&WebhookEvent::NAMES) }, default "`crossing`";
        /// Unique name, under which the ledger notes what has been delivered.
        name: Label = Label(ID_LENGTH), default code(defaults::WEBHOOK);
        /// File of the certificates (PEM) that are trusted in place of the system's.
        ca: PathText = PathText, default "the system's";
    }
}

keys! {
    /// Strips of five small snapshots of each crossing, counted or not.
    EVIDENCE: EvidenceKeys = "EvidenceSettingsFile" {
        /// How long a strip is kept, `1h` to `36500days`.
        keep: Span = Span(HOUR..=days(36_500)), default duration(defaults::EVIDENCE_KEEP);
        /// Disk space for strips; the oldest are deleted first.
        size: Size = Size(16 << 20..=1 << 44), default code(text::shown_size(defaults::EVIDENCE_SIZE));
        /// Whether all heads in the snapshots are made unrecognizable before anything is written.
        blur: Truth = Truth, default defaults::EVIDENCE_BLUR.to_string();
    }
}

keys! {
    /// User name and password: written here, or `user:password` in an environment variable or a file. Exactly one of
    /// the three ways.
    CREDENTIALS: CredentialsKeys = "CredentialsFile" {
        /// User name.
        user: Text = Text;
        /// Password.
        password: Text = Text;
        /// Name of an environment variable that holds `user:password`.
        env: Text = Text;
        /// File that holds `user:password` in UTF-8 on one line. A byte order mark, empty lines and blanks around it are no part of it.
        file: PathText = PathText;
    }
}

keys! {
    /// Appearance and keys of the dashboard.
    TUI: TuiKeys = "TuiFile" {
        /// `dark`, `light`, `color-blind` or `mono`; `auto` is light where the terminal says so in `COLORFGBG`, else dark.
        theme: Words<Theme> = Words(&Theme::NAMES), default usual(&Theme::NAMES);
        /// Whether the terminal's bell rings when something new goes wrong.
        bell: Truth = Truth, default "false";
        /// Keys by action, such as `{"pause": ["p"]}`.
        keys: Shape<BTreeMap<String, KeysFile>> = Shape::new("object: for each action a key or a list of keys");
    }
}

/// The schema of an object with the keys of `K`.
fn object<K: Keys>(generator: &mut SchemaGenerator) -> Schema {
    let rows = K::rows();
    let required: Vec<&str> = rows.iter().filter(|row| row.is_required).map(|row| row.name).collect();
    let properties: serde_json::Map<String, serde_json::Value> = rows
        .iter()
        .map(|row| {
            let default = row.default.as_ref().map(|text| format!(" Default: {text}.")).unwrap_or_default();
            let words = row.kind.words();
            let mut schema = row.kind.schema(generator);
            if !row.is_required {
                schema = or_null(schema);
            }
            schema.insert("description".into(), format!("{} Type: {words}.{default}", row.meaning).into());
            (row.name.to_owned(), schema.to_value())
        })
        .collect();
    let mut schema = json_schema!({
        "description": K::about(),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

/// `schema`, or null: such a key is not given.
fn or_null(mut schema: Schema) -> Schema {
    match schema.get("type").and_then(|kind| kind.as_str()) {
        Some(kind) => {
            let kinds = serde_json::json!([kind, "null"]);
            schema.insert("type".into(), kinds);
            schema
        }
        None => json_schema!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// The JSON Schema (draft 2020-12) of the configuration file.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(FileKeys);
    // What editors ask for before they mark either as a mistake.
    schema.insert("allowComments".into(), true.into());
    schema.insert("allowTrailingCommas".into(), true.into());
    schema.to_value()
}

fn code(text: impl Display) -> String {
    format!("`{text}`")
}

fn duration(default: Duration) -> String {
    code(text::shown_duration(default))
}

/// The word for the default of a choice.
fn usual<T: Default + PartialEq>(names: &[(&str, T)]) -> String {
    names.iter().find(|(_, choice)| *choice == T::default()).map(|(name, _)| code(name)).unwrap_or_default()
}

/// Whether evidence is kept.
#[allow(dead_code, reason = "it is never made: only its schema is used")]
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum EvidenceFile {
    /// With the defaults, or not at all.
    Switch(bool),
    /// It is, with these settings.
    Settings(Box<EvidenceKeys>),
}

/// Which detector is used.
#[allow(dead_code, reason = "it is never made: only its schema is used")]
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum DetectorFile {
    /// A detector that needs no file.
    Named(DetectorName),
    /// A model file, or the embedded model with settings of its own.
    Model(Box<ModelKeys>),
}

#[cfg(test)]
mod tests;
