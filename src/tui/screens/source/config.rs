//! The configuration of one source as it runs, without its credentials.

use ratatui::text::{Line, Span};

use crate::{
    config::{
        Cadence, DetectorChoice, EvidenceChoice, SourceConfig, SourceSpec, TlsConfig, TrackerChoice,
        Transport,
    },
    geometry::Anchor,
    model::SourceKind,
    tui::{format, text, theme::Role, widgets::Look},
};

/// Columns of the names.
const NAMES: usize = 10;

/// The settings as lines of at most `width` columns; long values go on below.
#[must_use]
pub fn lines(config: &SourceConfig, width: usize, look: &Look) -> Vec<Line<'static>> {
    let room = width.saturating_sub(NAMES + 1).max(1);
    settings(config)
        .into_iter()
        .flat_map(|(name, value)| {
            text::wrap(&value, room)
                .into_iter()
                .enumerate()
                .map(move |(index, part)| (if index == 0 { name } else { "" }, part))
        })
        .map(|(name, value)| {
            Line::from(vec![
                look.span(format!("{} ", look.left(name, NAMES)), Role::Dim),
                Span::raw(look.cut(&value, room)),
            ])
        })
        .collect()
}

fn settings(config: &SourceConfig) -> Vec<(&'static str, String)> {
    // Each is named, so that a new one is not forgotten here.
    let SourceConfig {
        id,
        kind,
        source,
        alias,
        location,
        threshold,
        enabled,
        lines,
        zones,
        ignore,
        min_height,
        max_height,
        detector,
        tracker,
        cadence,
        priority,
        retry,
        stall_timeout,
        open_timeout,
        transport,
        stream,
        hwaccel,
        sleep,
        schedule,
        closed,
        tls,
        evidence,
        site,
        lease,
    } = config;
    let is_camera = *kind == SourceKind::Camera;
    let kind = if is_camera { "camera" } else { "video" };
    let mut settings = vec![
        ("id", format!("{id} ({kind})")),
        // Shows neither a user name nor a password.
        ("source", source.to_string()),
    ];
    let secret = match source {
        SourceSpec::Url { credentials: Some(_), .. } => "user name and password given, not shown",
        SourceSpec::Url { hidden: Some(_), .. } => "given in the address, not shown",
        _ => "",
    };
    if !secret.is_empty() {
        settings.push(("login", secret.into()));
    }
    settings.push(("alias", alias.clone()));
    settings.extend(location.clone().map(|location| ("location", location)));
    settings.extend(site.clone().map(|site| ("site", site)));
    settings.extend(lease.as_ref().map(|lease| ("lease", format!("by the fleet, epoch {}", lease.epoch))));
    settings.extend(threshold.map(|limit| ("threshold", format!("{limit} people"))));
    if !enabled {
        settings.push(("enabled", "no".into()));
    }
    for line in lines {
        let [a, b] = [line.a, line.b].map(point);
        settings.push(("line", format!("{}: {a} to {b}, {}", line.name, anchor(line.anchor))));
    }
    for zone in zones {
        let limit = zone.threshold.map(|limit| format!(", limit {limit}")).unwrap_or_default();
        let corners = zone.points.len();
        settings.push(("zone", format!("{}: {corners} corners, {}{limit}", zone.name, anchor(zone.anchor))));
    }
    for region in ignore {
        settings.push(("ignore", format!("a region of {} corners", region.len())));
    }
    let percent = |share: f32| format!("{:.0} %", share * 100.0);
    match (*min_height, *max_height) {
        (None, None) => {}
        (Some(least), None) => settings.push(("heights", format!("{} of the frame or more", percent(least)))),
        (None, Some(most)) => settings.push(("heights", format!("{} of the frame or less", percent(most)))),
        (Some(least), Some(most)) => {
            settings.push(("heights", format!("{} to {} of the frame", percent(least), percent(most))));
        }
    }
    let detector = match detector {
        None => "the program's".to_string(),
        Some(DetectorChoice::Auto) => "auto".into(),
        Some(DetectorChoice::Builtin(_)) => "builtin".into(),
        Some(DetectorChoice::Motion) => "motion".into(),
        Some(DetectorChoice::Model(model)) => model.model.display().to_string(),
    };
    settings.push(("detector", detector));
    if *tracker == TrackerChoice::Centroid {
        settings.push(("tracker", "centroid".into()));
    }
    settings.push((
        "detections",
        match *cadence {
            Cadence::Auto => "as many as are needed".into(),
            Cadence::SkipFrames(frames) => format!("skips {frames} frames after each detection"),
            Cadence::DetectFps(rate) => format!("at most {rate} a second"),
        },
    ));
    settings.push(("priority", priority.to_string()));
    settings.extend(hwaccel.map(|hwaccel| ("hwaccel", hwaccel.word().into())));
    match evidence {
        EvidenceChoice::On(_) => {
            settings.push(("evidence", "snapshots of its crossings are recorded".into()));
        }
        EvidenceChoice::Off => settings.push(("evidence", "no snapshots are recorded".into())),
        _ => {}
    }
    if *closed {
        settings.push(("closed", "who goes in comes out on the same day".into()));
    }
    if is_camera {
        if !sleep {
            settings.push(("sleep", "never: every frame is decoded".into()));
        }
        if let Some(hours) = schedule {
            settings.push(("schedule", hours.to_string()));
        }
        settings.extend(stream.as_ref().map(|stream| ("stream", stream.to_string())));
        let attempts = match retry.max_attempts {
            attempts if retry.give_up && attempts > 0 => format!("given up after {attempts} attempts"),
            0 => "without end".into(),
            attempts => format!("{attempts} attempts"),
        };
        let (first, most) = (format::duration(retry.initial), format::duration(retry.max));
        settings.push(("retry", format!("{attempts}, {first} to {most} apart")));
        let stall = format::duration(*stall_timeout);
        let open = format::duration(*open_timeout);
        settings.push(("timeouts", format!("opening {open}, without frames {stall}")));
        if matches!(source, SourceSpec::Url { address, .. } if address.scheme().starts_with("rtsp")) {
            let transport = if *transport == Transport::Udp { "udp" } else { "tcp" };
            settings.push(("transport", transport.into()));
        }
        match tls {
            TlsConfig { verify: false, .. } => settings.push(("tls", "certificate not verified".into())),
            TlsConfig { ca: Some(file), .. } => settings.push(("tls", format!("trusts {}", file.display()))),
            TlsConfig { .. } => {}
        }
    }
    settings
}

fn point([x, y]: [f32; 2]) -> String {
    format!("({x:.2}, {y:.2})")
}

fn anchor(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Foot => "feet",
        Anchor::Center => "middle of the body",
        Anchor::Head => "head",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_set_is_shown() {
        let mut config = SourceConfig::from_source_string("rtsp://10.0.0.9/1", &BTreeSet::new()).unwrap();
        (config.sleep, config.closed) = (false, true);
        let names: Vec<_> = settings(&config).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"sleep") && names.contains(&"closed"), "{names:?}");
    }

    #[test]
    fn a_password_is_said_to_be_there_and_not_shown() {
        let text = "rtsp://admin:hunter2@10.0.0.9/1?token=hunter3";
        let config = SourceConfig::from_source_string(text, &BTreeSet::new()).unwrap();
        let all = settings(&config).into_iter().map(|(name, value)| format!("{name} {value}\n"));
        let all: String = all.collect();
        assert!(all.contains("10.0.0.9") && all.contains("not shown"), "{all}");
        assert!(!all.contains("hunter") && !all.contains("admin"), "{all}");
    }
}
