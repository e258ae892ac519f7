//! What the configuration says of areas.

use crate::{
    config::{
        AreaConfig, ID_LENGTH, SourceConfig,
        keys::{AREA, AreaKeys},
        nearest,
        section::{Field, Section},
    },
    model::AreaLine,
};

/// All areas, whose lines are those of `sources`. A source or line that is not there is a warning only: the line editor
/// renames lines, sources come and go while the program runs, and the program has to start all the same.
pub(super) fn areas(field: &Field<'_>, sources: &[SourceConfig]) -> Vec<AreaConfig> {
    let mut found: Vec<AreaConfig> = Vec::new();
    for item in field.items().unwrap_or_default() {
        let Some(section) = item.section::<AreaKeys>() else { continue };
        let Some(area) = area(&section, sources) else { continue };
        if found.iter().any(|other| other.name == area.name) {
            item.problem(&format!("there is an area '{}' already; give this one another name", area.name));
        } else if sources.iter().any(|source| *source.id == *area.name) {
            // Events of an area have its name where others have their source.
            item.problem(&format!(
                "there is a source '{}'; give the area a name that no source has as its id",
                area.name
            ));
        } else {
            found.push(area);
        }
    }
    found
}

fn area(section: &Section<'_>, sources: &[SourceConfig]) -> Option<AreaConfig> {
    let name = section.required(&AREA.name).and_then(|field| name(&field));
    let mut lines: Vec<AreaLine> = Vec::new();
    if let Some(field) = section.required(&AREA.lines) {
        let items = field.items()?;
        if items.is_empty() {
            field.problem("names no line; name those that lead into the area, such as \"camera_01/door\"");
        }
        for item in items {
            let Some(line) = line(&item, sources) else { continue };
            if lines.iter().any(|other| (&other.source, &other.line) == (&line.source, &line.line)) {
                item.problem(&format!(
                    "the area has the line '{}' already; name each line once",
                    AreaLine { turned: false, ..line }.text()
                ));
            } else {
                lines.push(line);
            }
        }
    }
    Some(AreaConfig {
        name: name?,
        lines,
        threshold: section.read(&AREA.threshold),
        reset: section.field(&AREA.reset).and_then(|field| time(&field)),
        capacity: section.read(&AREA.capacity),
    })
}

fn name(field: &Field<'_>) -> Option<String> {
    let name = field.label(ID_LENGTH)?;
    // It stands in topics, in labels and in file names of others.
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
    if let Some(bad) = name.chars().find(|c| !is_safe(*c)) {
        field.problem(&format!(
            "the name '{name}' holds '{bad}'; names of areas have letters, digits, spaces, '_', '-' and '.'"
        ));
        return None;
    }
    Some(name)
}

fn line(field: &Field<'_>, sources: &[SourceConfig]) -> Option<AreaLine> {
    let text = field.label(2 * ID_LENGTH + 2)?;
    let Some(line) = AreaLine::parse(&text) else {
        field.problem(&format!(
            "'{text}' is no line of a source; write SOURCE/LINE such as \"camera_01/door\", \"camera_01/*\" for all lines of \
             a source, and '!' in front where 'in' leads out of the area"
        ));
        return None;
    };
    let or = |name: &str, known: &[&str], all: &str| match nearest(name, known) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("{all} {}", known.join(", ")),
    };
    let ids: Vec<&str> = sources.iter().map(|source| &*source.id).collect();
    match (sources.iter().find(|source| source.id == line.source), &line.line) {
        (None, _) => {
            let near = or(&line.source, &ids, "sources are");
            field.warning(&format!("there is no source '{}'; {near}", line.source));
        }
        (Some(source), Some(name)) if !source.lines.iter().any(|own| own.name == *name) => {
            let names: Vec<&str> = source.lines.iter().map(|own| &*own.name).collect();
            let near = or(name, &names, "its lines are");
            field.warning(&format!("'{}' has no line '{name}'; {near}", source.id));
        }
        _ => {}
    }
    Some(line)
}

/// A time of the day, to the minute.
fn time(field: &Field<'_>) -> Option<jiff::civil::Time> {
    let text = field.text()?;
    let parts = text.split_once(':').filter(|(hour, minute)| {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        is_number(hour) && is_number(minute) && minute.len() == 2 && (1..=2).contains(&hour.len())
    });
    parts
        .and_then(|(hour, minute)| {
            jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        })
        .or_else(|| field.expected("a time of the day, such as \"04:00\""))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, ConfigErrors};

    fn parse(area: &str) -> Result<Config, ConfigErrors> {
        let text = format!(
            r#"{{ "parallel_config": {{ "areas": [{area}] }}, "cameras": [
                {{ "camera_id": "gate", "source": "rtsp://h/1", "lines": [
                    {{ "name": "door", "a": [0, 0], "b": [1, 1] }}, {{ "name": "side", "a": [1, 0], "b": [0, 1] }}] }},
                {{ "camera_id": "yard", "source": "rtsp://h/2" }}] }}"#
        );
        Config::parse(text.as_bytes(), "cams.json", Path::new("/etc/pc"), &|_| None)
    }

    #[test]
    fn an_area_has_lines_of_several_sources_also_turned_round() {
        let area = r#"{ "name": "Hall 1", "lines": ["gate/door", "!gate/side", "yard/*"], "threshold": 100,
            "reset": "04:00", "capacity": 120 }"#;
        let config = parse(area).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let [hall] = &config.parallel.areas[..] else { panic!("{:?}", config.parallel.areas) };
        let lines: Vec<String> = hall.lines.iter().map(crate::model::AreaLine::text).collect();
        assert_eq!(lines, ["gate/door", "!gate/side", "yard/*"]);
        assert_eq!((hall.threshold, hall.capacity), (Some(100), Some(120)));
        assert_eq!(hall.reset, Some(jiff::civil::time(4, 0, 0, 0)));
    }

    #[test]
    fn what_is_wrong_with_an_area_is_said_in_a_sentence() {
        for (area, said) in [
            (r#"{ "lines": ["gate/door"] }"#, "'name' is missing"),
            (r#"{ "name": "hall" }"#, "'lines' is missing"),
            (r#"{ "name": "hall", "lines": [] }"#, "names no line"),
            (r#"{ "name": "a/b", "lines": ["gate/door"] }"#, "holds '/'"),
            (r#"{ "name": "hall", "lines": ["door"] }"#, "no line of a source"),
            (r#"{ "name": "hall", "lines": ["gate/door", "!gate/door"] }"#, "already; name each line once"),
            (r#"{ "name": "hall", "lines": ["gate/door"], "reset": "24:00" }"#, "a time of the day"),
            (r#"{ "name": "hall", "lines": ["gate/door"], "reset": "4:5" }"#, "a time of the day"),
            (r#"{ "name": "gate", "lines": ["yard/*"] }"#, "there is a source 'gate'"),
            (
                r#"{ "name": "hall", "lines": ["gate/door"] }, { "name": "hall", "lines": ["yard/*"] }"#,
                "there is an area 'hall' already",
            ),
        ] {
            let errors = parse(area).unwrap_err().to_string();
            assert!(errors.contains(said), "{area}: {errors}");
        }
    }

    #[test]
    fn a_line_that_is_not_there_is_a_warning_because_lines_are_renamed_while_the_program_runs() {
        for (line, said) in [
            ("gate/dor", "did you mean 'door'?"),
            ("gat/door", "did you mean 'gate'?"),
            ("nowhere/door", "sources are gate, yard"),
        ] {
            let config = parse(&format!(r#"{{ "name": "hall", "lines": ["{line}"] }}"#)).unwrap();
            assert!(config.warnings.iter().any(|warning| warning.contains(said)), "{:?}", config.warnings);
            assert_eq!(config.parallel.areas[0].lines.len(), 1);
        }
    }
}
