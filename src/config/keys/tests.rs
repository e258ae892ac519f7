//! The tables of keys in the documentation are made of the declarations.
//!
//! After a change of these, `PCOUNT_ACCEPT=1 cargo test --lib config::keys` generates them again; read the difference before you
//! commit it.

use std::{fmt::Write as _, fs, path::Path};

use super::*;

const TABLES: [&str; 16] = [
    "file",
    "parallel_config",
    "sources",
    "line",
    "zone",
    "detector",
    "retry",
    "tls",
    "credentials",
    "evidence",
    "http",
    "fleet",
    "area",
    "mqtt",
    "webhook",
    "tui",
];

/// A table of the keys in `rows`.
fn table(rows: &[KeyRow]) -> String {
    let mut out = String::from("| key | type and range | default | meaning |\n| --- | --- | --- | --- |\n");
    for row in rows {
        let meaning = row.meaning.trim_end_matches('.').replace('|', "\\|");
        let required = if row.is_required { "required" } else { "" };
        let default = row.default.as_deref().unwrap_or(required);
        let line = format!("| `{}` | {} | {default} | {meaning} |\n", row.name, row.kind.words());
        out += &line.replace("|  |", "| |");
    }
    out
}

/// The keys of each table, by the name that it has in the documentation.
fn rows(name: &str) -> Vec<KeyRow> {
    match name {
        "file" => FileKeys::rows(),
        "parallel_config" => ParallelKeys::rows(),
        "sources" => {
            let mut own = CameraKeys::rows();
            own.truncate(own.len() - SourceKeys::rows().len());
            own.into_iter().chain(VideoKeys::rows()).collect()
        }
        "line" => LineKeys::rows(),
        "zone" => ZoneKeys::rows(),
        "detector" => ModelKeys::rows(),
        "retry" => RetryKeys::rows(),
        "tls" => TlsKeys::rows(),
        "evidence" => EvidenceKeys::rows(),
        "http" => HttpKeys::rows(),
        "fleet" => FleetKeys::rows(),
        "area" => AreaKeys::rows(),
        "mqtt" => MqttKeys::rows(),
        "webhook" => WebhookKeys::rows(),
        "credentials" => CredentialsKeys::rows(),
        "tui" => TuiKeys::rows(),
        other => panic!("there is no table '{other}'"),
    }
}

/// `text` with each table between `<!-- keys: NAME -->` and `<!-- end of keys -->` made again, and the names of them.
fn with_tables(text: &str) -> (String, Vec<String>) {
    const OPEN: &str = "<!-- keys: ";
    const CLOSE: &str = "<!-- end of keys -->";
    let mut out = String::new();
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after.split_once(" -->").unwrap();
        let (_, after) = after.split_once(CLOSE).unwrap();
        let _ = write!(out, "{before}{OPEN}{name} -->\n\n{}\n{CLOSE}", table(&rows(name)));
        names.push(name.to_owned());
        rest = after;
    }
    out += rest;
    (out, names)
}

#[test]
fn the_tables_of_the_documentation_are_those_of_the_declarations() {
    let file = "docs/configuration.md";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (made, mut names) = with_tables(&text);
    let mut wanted = TABLES.to_vec();
    names.sort();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{file}");
    if std::env::var_os("PCOUNT_ACCEPT").is_some() {
        fs::write(&path, &made).unwrap();
    } else {
        let differs = text.lines().zip(made.lines()).find(|(text, made)| text != made);
        assert!(text == made, "{file}: {differs:?}; see the top of this test");
    }
}

#[test]
fn every_meaning_is_whole_sentences() {
    for row in TABLES.iter().flat_map(|name| rows(name)) {
        assert!(row.meaning.ends_with('.') && !row.meaning.contains("  "), "{}: {}", row.name, row.meaning);
    }
}
