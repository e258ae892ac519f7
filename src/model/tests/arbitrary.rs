//! Values of every type of the vocabulary, with every variant.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use crate::{
    geometry::{Anchor, BBox},
    model::{
        self, Acknowledgment, Action, AlertKind, AreaEvent, AreaLine, AreaSnapshot, Control,
        CorrectionReason, Direction, Doubt, Drift, EngineSnapshot, Epoch, Event, EventKind, FrameInfo,
        Holder, Learned, LineConfig, LineCounts, Moment, NodeSnapshot, NodeState, Overload, Preview, Reason,
        Rest, ResultStatus, Scene, ShownTrack, SourceId, SourceKind, SourceSnapshot, SourceState, StateKind,
        Task, TaskResult, TaskStatus, Wakeful, WorkerSnapshot, ZoneConfig, ZoneCounts, copies,
    },
};

const REASONS: [Reason; 5] =
    [Reason::Flicker, Reason::UTurn, Reason::OffSegment, Reason::Unconfirmed, Reason::Duplicate];

const WAKEFUL: [Wakeful; 5] = [
    Wakeful::RateIsSet,
    Wakeful::PreviewIsWanted,
    Wakeful::SomebodyIsThere,
    Wakeful::SomethingMoves,
    Wakeful::KeyFramesAreRare,
];

pub const STATES: [StateKind; 13] = [
    StateKind::Queued,
    StateKind::Connecting,
    StateKind::Running,
    StateKind::Stalled,
    StateKind::Retrying,
    StateKind::Paused,
    StateKind::Completed,
    StateKind::Failed,
    StateKind::Disabled,
    StateKind::AuthFailed,
    StateKind::NoSuchStream,
    StateKind::Unsupported,
    StateKind::Closed,
];

pub fn text() -> BoxedStrategy<String> {
    prop_oneof![".{0,12}", any::<String>()].boxed()
}

pub fn id() -> BoxedStrategy<SourceId> {
    text().prop_map(SourceId::from).boxed()
}

/// Every number that is one, of any size.
pub fn single() -> BoxedStrategy<f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |number| number.is_finite()).boxed()
}

pub fn double() -> BoxedStrategy<f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |number| number.is_finite()).boxed()
}

pub fn duration() -> BoxedStrategy<Duration> {
    (any::<u64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)).boxed()
}

pub fn moment() -> BoxedStrategy<Moment> {
    duration().prop_map(Moment::new).boxed()
}

pub fn wall() -> BoxedStrategy<SystemTime> {
    let (first, last) = (jiff::Timestamp::MIN.as_nanosecond(), jiff::Timestamp::MAX.as_nanosecond());
    let time = |nanoseconds| jiff::Timestamp::from_nanosecond(nanoseconds).expect("in range").into();
    prop_oneof![first..=last, 0..4_000_000_000_000_000_000_i128].prop_map(time).boxed()
}

pub fn pixels() -> BoxedStrategy<(u32, u32)> {
    any::<(u32, u32)>().boxed()
}

pub fn kind() -> BoxedStrategy<SourceKind> {
    select(vec![SourceKind::Camera, SourceKind::Video]).boxed()
}

pub fn direction() -> BoxedStrategy<Direction> {
    select(vec![Direction::In, Direction::Out]).boxed()
}

pub fn state() -> BoxedStrategy<SourceState> {
    prop_oneof![
        select(vec![
            SourceState::Queued,
            SourceState::Connecting,
            SourceState::Running,
            SourceState::Stalled,
            SourceState::Paused,
            SourceState::Completed,
            SourceState::Disabled,
            SourceState::Unsupported,
        ]),
        (any::<u32>(), moment()).prop_map(|(attempt, at)| SourceState::Retrying { attempt, at }),
        option::of(moment()).prop_map(|next| SourceState::Failed { next }),
        moment().prop_map(|at| SourceState::AuthFailed { at }),
        moment().prop_map(|at| SourceState::NoSuchStream { at }),
        Just(SourceState::Closed { opens: None }),
        (-1_000_000_000_000..4_000_000_000_000_i64, ".*").prop_map(|(at, shown)| {
            let at = jiff::Timestamp::from_millisecond(at).unwrap();
            SourceState::Closed { opens: Some(crate::model::Opening { at, shown }) }
        }),
    ]
    .boxed()
}

pub fn anchor() -> BoxedStrategy<Anchor> {
    select(vec![Anchor::Foot, Anchor::Center, Anchor::Head]).boxed()
}

pub fn point() -> BoxedStrategy<[f32; 2]> {
    [single(), single()].boxed()
}

pub fn line() -> BoxedStrategy<LineConfig> {
    (text(), point(), point(), anchor())
        .prop_map(|(name, a, b, anchor)| LineConfig { name, a, b, anchor })
        .boxed()
}

pub fn zone() -> BoxedStrategy<ZoneConfig> {
    (text(), vec(point(), 0..5), anchor(), any::<Option<i64>>())
        .prop_map(|(name, points, anchor, threshold)| ZoneConfig { name, points, anchor, threshold })
        .boxed()
}

pub fn line_counts() -> BoxedStrategy<LineCounts> {
    (text(), any::<(u64, u64)>())
        .prop_map(|(name, (total_in, total_out))| LineCounts { name, total_in, total_out })
        .boxed()
}

pub fn zone_counts() -> BoxedStrategy<ZoneCounts> {
    (text(), any::<u64>(), double(), any::<Option<i64>>())
        .prop_map(|(name, occupancy, mean_dwell, threshold)| ZoneCounts {
            name,
            occupancy,
            mean_dwell,
            threshold,
        })
        .boxed()
}

pub fn rest() -> BoxedStrategy<Rest> {
    prop_oneof![select(vec![Rest::Never, Rest::Asleep]), select(&WAKEFUL[..]).prop_map(Rest::Awake)].boxed()
}

pub fn strain() -> BoxedStrategy<Overload> {
    select(vec![Overload::FramesLost, Overload::Memory]).boxed()
}

pub fn event_kind() -> BoxedStrategy<EventKind> {
    prop_oneof![
        (text(), direction(), any::<u64>(), double(), single()).prop_map(
            |(line, direction, track, time, confidence)| EventKind::Crossing {
                line,
                direction,
                track,
                time,
                confidence
            }
        ),
        (text(), direction(), any::<u64>(), select(&REASONS[..]), double()).prop_map(
            |(line, direction, track, reason, time)| EventKind::Suppressed {
                line,
                direction,
                track,
                reason,
                time
            }
        ),
        (select(&STATES[..]), option::of(text()))
            .prop_map(|(state, error)| EventKind::State { state, error }),
        (option::of(text()), any::<(bool, i64, i64)>()).prop_map(|(zone, (over, current, limit))| {
            EventKind::Threshold { zone, over, current, limit }
        }),
        scene().prop_map(EventKind::Scene),
        (option::of(".*"), ".*").prop_map(|(schedule, timezone)| EventKind::Schedule { schedule, timezone }),
        Just(EventKind::Reset),
        area_event().prop_map(EventKind::Area),
    ]
    .boxed()
}

fn area_line() -> BoxedStrategy<AreaLine> {
    (id(), option::of(text()), any::<bool>())
        .prop_map(|(source, line, turned)| AreaLine { source, line, turned })
        .boxed()
}

fn area_event() -> BoxedStrategy<AreaEvent> {
    prop_oneof![
        vec(area_line(), 0..3).prop_map(|lines| AreaEvent::Lines { lines }),
        (any::<(i64, i64, u64, u64)>(), select(&CorrectionReason::ALL[..]), text()).prop_map(
            |((before, after, total_in, total_out), reason, who)| AreaEvent::Corrected {
                before,
                after,
                total_in,
                total_out,
                reason,
                who
            }
        ),
        any::<(bool, i64, i64)>().prop_map(|(over, inside, limit)| AreaEvent::Threshold {
            over,
            inside,
            limit
        }),
    ]
    .boxed()
}

fn area() -> BoxedStrategy<AreaSnapshot> {
    let drift = any::<(u32, i64, u64)>().prop_map(|(corrections, surplus, entries)| Drift {
        corrections,
        surplus,
        entries,
    });
    let numbers = any::<(i64, u64, u64, Option<u64>, Option<i64>, bool, Option<i64>, i64)>();
    (text(), numbers, option::of(drift), vec(area_line(), 0..3))
        .prop_map(|(name, numbers, drift, lines)| {
            let (inside, total_in, total_out, capacity, threshold, is_over, corrected, known) = numbers;
            AreaSnapshot {
                name,
                inside,
                total_in,
                total_out,
                capacity,
                threshold,
                is_over,
                corrected,
                known,
                drift,
                lines,
            }
        })
        .boxed()
}

fn scene() -> BoxedStrategy<Scene> {
    let doubt = option::of(select(
        &[Doubt::Crowded, Doubt::Steep, Doubt::Dark, Doubt::Unrecognized, Doubt::Small][..],
    ));
    let known = (option::of((single(), single())), single());
    let learned = (text(), single(), vec(double(), 0..11), vec(double(), 0..6), vec(single(), 0..3));
    (doubt, known, learned)
        .prop_map(|(doubt, (heights, scale), (detector, aspect, sums, sightings, gains))| {
            let learned = Learned { detector, aspect, heights: sums, sightings, gains };
            Scene { doubt, heights, scale, learned }
        })
        .boxed()
}

pub fn event() -> BoxedStrategy<Event> {
    let epoch = option::of((any::<u64>(), any::<u64>()));
    (any::<u64>(), wall(), id(), event_kind(), epoch)
        .prop_map(|(number, wall, source, kind, epoch)| {
            let epoch = epoch.map(|(revision, delivery)| Epoch { revision, delivery });
            Event { number, wall, source, kind, epoch }
        })
        .boxed()
}

pub fn source() -> BoxedStrategy<SourceSnapshot> {
    let named = (id(), text(), option::of(text()), kind(), text(), any::<i32>(), state());
    let rates = (single(), option::of(single()), single(), option::of(pixels()), option::of(pixels()));
    let counted = (
        any::<(u64, Option<u64>, u64, [u64; 2], u64, u64, Option<i64>)>(),
        vec(line_counts(), 0..3),
        vec(zone_counts(), 0..3),
        btree_map(select(&REASONS[..]), any::<u64>(), 0..5),
        option::of(scene()),
    );
    let latest = (any::<usize>(), option::of(moment()), duration(), option::of(text()));
    let said = (any::<(u64, u64, u32)>(), text());
    let load =
        (single(), single(), option::of(strain()), rest(), single(), any::<u64>(), option::of(holder()));
    (named, rates, counted, latest, said, load)
        .prop_map(|(named, rates, counted, latest, said, load)| {
            let (id, alias, location, kind, source, priority, state) = named;
            let (fps, declared_fps, detect_fps, size, substream) = rates;
            let (numbers, lines, zones, suppressed, scene) = counted;
            let (frames, frames_total, dropped, detections, total_in, total_out, threshold) = numbers;
            let [total_detections, ignored] = detections;
            let (visible, last_frame, latency, last_error) = latest;
            let ((errors, reconnects, short_sessions), detector) = said;
            let (rate_share, frame_share, throttled_by, rest, cpu, picture_bytes, holder) = load;
            SourceSnapshot {
                id,
                alias,
                location,
                kind,
                source,
                priority,
                state,
                fps,
                declared_fps,
                detect_fps,
                size,
                substream,
                frames,
                frames_total,
                dropped,
                total_detections,
                ignored,
                total_in,
                total_out,
                threshold,
                lines,
                zones,
                scene,
                suppressed,
                visible,
                last_frame,
                latency,
                last_error,
                errors,
                reconnects,
                short_sessions,
                detector,
                rate_share,
                frame_share,
                throttled_by,
                rest,
                cpu,
                picture_bytes,
                holder: holder.map(Arc::new),
                copies: copies::Copies,
            }
        })
        .boxed()
}

fn epoch() -> BoxedStrategy<Epoch> {
    any::<(u64, u64)>().prop_map(|(revision, delivery)| Epoch { revision, delivery }).boxed()
}

fn holder() -> BoxedStrategy<Holder> {
    (id(), option::of(id()), option::of(epoch()), option::of(duration()))
        .prop_map(|(node, site, epoch, age)| Holder { node, site, epoch, age })
        .boxed()
}

fn node() -> BoxedStrategy<NodeSnapshot> {
    let state = select(vec![NodeState::Runs, NodeState::Draining, NodeState::Silent, NodeState::Left]);
    let load = (single(), any::<(usize, u64, usize, usize, usize, bool)>());
    ((id(), option::of(id()), state, duration()), (text(), text()), load, vec(text(), 0..3))
        .prop_map(|((name, site, state, age), (version, detector), (cpu, load), problems)| {
            let (cores, rss, room, sources, leased, is_throttled) = load;
            NodeSnapshot {
                name,
                site,
                state,
                age,
                version,
                detector,
                cores,
                cpu,
                rss,
                room,
                sources,
                leased,
                is_throttled,
                problems,
            }
        })
        .boxed()
}

pub fn worker() -> BoxedStrategy<WorkerSnapshot> {
    (any::<(usize, bool)>(), option::of(id()), single(), single(), any::<(u64, u64, u64, u64)>())
        .prop_map(|((number, enabled), source, busy, cpu, (frames, looks, errors, restarts))| {
            WorkerSnapshot { number, enabled, source, frames, busy, cpu, looks, errors, restarts }
        })
        .boxed()
}

pub fn engine() -> BoxedStrategy<EngineSnapshot> {
    let lists = (vec(source().prop_map(Arc::new), 0..3), vec(worker(), 0..3), vec(id(), 0..3));
    let said = (
        select(vec![model::Strategy::Shared, model::Strategy::Dedicated]),
        text(),
        vec(text(), 0..3),
        vec(text(), 0..3),
        vec(event().prop_map(Arc::new), 0..3),
        vec(acknowledgment(), 0..3),
        vec(area(), 0..3),
        vec(node(), 0..3),
    );
    let numbers = any::<(usize, usize, usize, u64, u64, u64, Option<u64>, u64)>();
    (lists, said, numbers, single(), moment())
        .prop_map(|((sources, workers, queue), said, numbers, cpu, taken)| {
            let (strategy, detector, problems, notices, events, acknowledged, areas, nodes) = said;
            let (
                worker_count,
                max_workers,
                queue_pending,
                events_lost,
                log_lines_lost,
                rss,
                limit,
                generation,
            ) = numbers;
            EngineSnapshot {
                sources,
                workers,
                worker_count,
                max_workers,
                queue_pending,
                queue,
                strategy,
                detector,
                problems,
                notices,
                acknowledged: Arc::new(acknowledged),
                areas: Arc::new(areas),
                nodes: Arc::new(nodes),
                events: Arc::new(events),
                events_lost,
                log_lines_lost,
                cpu,
                rss,
                memory_limit: limit,
                taken,
                generation,
            }
        })
        .boxed()
}

fn alert_kind() -> BoxedStrategy<AlertKind> {
    select(vec![AlertKind::Down, AlertKind::Failed, AlertKind::Flapping, AlertKind::Limit, AlertKind::Area])
        .boxed()
}

fn acknowledgment() -> BoxedStrategy<Acknowledgment> {
    (id(), alert_kind(), text(), any::<i64>())
        .prop_map(|(source, kind, who, wall)| Acknowledgment { source, kind, who, wall })
        .boxed()
}

pub fn preview() -> BoxedStrategy<Preview> {
    let bbox = (single(), single(), single(), single()).prop_map(|(x, y, w, h)| BBox { x, y, w, h });
    let track = (any::<(u64, bool, bool)>(), bbox).prop_map(|((id, confirmed, seen), bbox)| ShownTrack {
        id,
        bbox,
        confirmed,
        seen,
    });
    (pixels(), vec(any::<u8>(), 0..64), vec(track, 0..3), moment())
        .prop_map(|(size, rgb, tracks, taken)| Preview { size, rgb, tracks, taken })
        .boxed()
}

/// Additions and commands are of the engine; here they are words.
pub fn control() -> BoxedStrategy<Control<String, String>> {
    prop_oneof![
        (id(), text()).prop_map(|(id, command)| Control::Source(id, command)),
        any::<bool>().prop_map(Control::PauseAll),
        id().prop_map(Control::Remove),
        text().prop_map(|added| Control::Add(Box::new(added))),
        any::<usize>().prop_map(Control::SetWorkers),
        (text(), any::<u64>(), text()).prop_map(|(area, inside, who)| Control::SetArea { area, inside, who }),
        (id(), alert_kind(), text()).prop_map(|(source, kind, who)| Control::Acknowledge {
            source,
            kind,
            who
        }),
    ]
    .boxed()
}

/// JSON without numbers that are no integers: what is written into a task's configuration.
pub fn shown_config() -> BoxedStrategy<serde_json::Value> {
    (text(), any::<i64>(), vec(line(), 0..3), vec(zone(), 0..3))
        .prop_map(|(alias, threshold, lines, zones)| {
            serde_json::json!({ "alias": alias, "threshold": threshold, "lines": lines, "zones": zones })
        })
        .boxed()
}

pub fn task() -> BoxedStrategy<Task> {
    let status =
        select(vec![TaskStatus::Pending, TaskStatus::Processing, TaskStatus::Completed, TaskStatus::Failed]);
    (text(), kind(), text(), shown_config(), any::<i32>(), status)
        .prop_map(|(task_id, kind, source, config, priority, status)| Task {
            task_id,
            kind,
            source,
            config,
            priority,
            status,
        })
        .boxed()
}

pub fn result() -> BoxedStrategy<TaskResult> {
    let names = (text(), text(), text(), text());
    let status = select(vec![ResultStatus::Success, ResultStatus::Error]);
    (names, single(), any::<(u64, u64, i64, u64, u64)>(), vec(text(), 0..3), status)
        .prop_map(|((worker_id, task_id, camera_id, timestamp), fps, numbers, errors, status)| {
            let (total_in, total_out, current_count, frame_count, total_detections) = numbers;
            TaskResult {
                worker_id,
                task_id,
                camera_id,
                timestamp,
                fps,
                total_in,
                total_out,
                current_count,
                frame_info: FrameInfo { frame_count, total_detections },
                errors,
                status,
            }
        })
        .boxed()
}

pub fn action() -> BoxedStrategy<Action> {
    let words = (text(), text(), text());
    (any::<i64>(), words, option::of(id()), option::of(text()))
        .prop_map(|(wall, (who, from, what), source, detail)| Action {
            wall,
            who,
            from,
            source,
            what,
            detail,
        })
        .boxed()
}
