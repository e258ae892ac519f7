//! The parsers of configurations and source strings, fed with damaged and invented text from seeds: none
//! panics, every refusal is one line a problem, no password is printed.
//!
//! `PCOUNT_FUZZ=1000000 cargo test --test fuzz -- --nocapture` is the long one: that many of each.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use pcount::config::{Config, Overrides, SourceConfig};

/// SplitMix64, so that a failure's seed makes the same text again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

fn executions() -> u64 {
    std::env::var("PCOUNT_FUZZ").map_or(20_000, |text| text.parse().unwrap())
}

/// Pieces that parsers stumble over.
const PIECES: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "-1",
    "1e999",
    "0.5",
    "\\u0000",
    "\\ud800",
    "//",
    "/*",
    "\u{feff}",
    "\"cameras\":",
    "\"source\":",
    "\"lines\": [",
    "\"a\": [0, 1]",
    "${HOME}",
    "${",
    "}}",
    "***",
    "ä",
    "\u{202e}",
    "\0",
    "'",
    "NaN",
    "99999999999999999999",
    "rtsp://u:Pa55word@h/",
    "\"retry\": {",
    "\"initial\": \"1s\"",
    "\"credentials\": {",
    "\"file\":",
    "demo:lobby?people=",
    "\"priority\":",
    "1_000",
    "0x10",
    "\t",
    "\n",
    "#",
    "-",
];

/// One change, chosen by chance, of bytes that may be no text afterwards.
fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(8) {
        0 => bytes.truncate(at),
        1 if !bytes.is_empty() => {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << random.below(8);
        }
        2 => {
            let end = (at + random.below(40)).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random.below(60)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        4 => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len());
            let end = (from + random.below(200)).min(other.len());
            bytes.splice(at..at, other[from..end].iter().copied());
        }
        5 => {
            let byte = random.below(256) as u8;
            bytes.insert(at, byte);
        }
        _ => {
            let piece = random.of(&PIECES);
            bytes.splice(at..at, piece.bytes());
        }
    }
}

#[test]
fn no_configuration_makes_the_parser_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let mut seeds =
        vec![fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("config_example.json")).unwrap()];
    for kind in ["valid", "invalid"] {
        for entry in fs::read_dir(folder.join(kind)).unwrap().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "json") {
                seeds.push(fs::read(entry.path()).unwrap());
            }
        }
    }
    seeds.retain(|seed| !seed.is_empty());
    seeds.sort();
    assert!(seeds.len() > 15, "{} files to begin with", seeds.len());
    let path = Path::new("/nowhere/cams.json");
    let (mut accepted, mut refused) = (0_u64, 0_u64);
    for seed in 0..executions() {
        let mut random = Random(seed);
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            change(&mut bytes, &seeds, &mut random);
        }
        let result =
            catch_unwind(AssertUnwindSafe(|| Config::from_bytes(&bytes, path, &Overrides::default())))
                .unwrap_or_else(|_| panic!("seed {seed}: {}", String::from_utf8_lossy(&bytes)));
        match result {
            Ok(config) => {
                accepted += 1;
                let said = format!("{:?}", config.sources);
                assert!(!said.contains("Pa55word"), "seed {seed}: {said}");
            }
            Err(errors) => {
                refused += 1;
                let said = errors.to_string();
                assert!(!errors.problems.is_empty(), "seed {seed}");
                assert!(said.lines().count() >= errors.problems.len(), "seed {seed}: {said}");
                assert!(!said.contains('\u{1b}') && !said.contains('\0'), "seed {seed}: {said:?}");
            }
        }
    }
    println!("{} configurations: {accepted} accepted, {refused} refused", accepted + refused);
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn no_source_string_makes_the_parser_panic() {
    const STARTS: [&str; 14] = [
        "rtsp://",
        "rtsps://",
        "http://",
        "https://",
        "demo:",
        "file://",
        "/dev/video",
        "/nowhere/",
        "~/",
        "",
        "0",
        "RTSP://",
        "rtsp:/",
        "ftp://",
    ];
    const PARTS: [&str; 34] = [
        "admin",
        ":",
        "@",
        "/",
        "?",
        "#",
        "%",
        "%40",
        "%zz",
        "[",
        "]",
        "[::1]",
        "..",
        "*",
        "**",
        "lobby",
        "people=6",
        "&",
        "seed=1",
        "size=640x480",
        "seconds=-1",
        "fps=NaN",
        "=",
        " ",
        "\t",
        "\u{0}",
        "ü",
        "\u{202e}",
        "554",
        "99999",
        "password=",
        "host",
        "\\",
        "'",
    ];
    // Patterns are looked up as they are read: in a place where there is nothing, however often they say `..`.
    let empty = tempfile::tempdir().unwrap();
    let nested = (0..16).fold(empty.path().to_path_buf(), |path, level| path.join(level.to_string()));
    fs::create_dir_all(&nested).unwrap();
    std::env::set_current_dir(&nested).unwrap();
    let (mut accepted, mut refused) = (0_u64, 0_u64);
    for seed in 0..executions() {
        let mut random = Random(!seed);
        let mut text = random.of(&STARTS).to_owned();
        let planted = random.below(2) == 0 && text.ends_with("://");
        if planted {
            text.push_str("user:Pa55word@");
        }
        for _ in 0..random.below(10) {
            text.push_str(random.of(&PARTS));
        }
        if random.below(4) == 0 {
            text.push(char::from_u32(random.below(0x3000) as u32).unwrap_or('x'));
        }
        let path = text.strip_prefix("file://").unwrap_or(&text);
        if path.starts_with(['/', '~']) && path.contains(['*', '?', '[']) {
            text.insert_str(text.len() - path.len(), "/nowhere");
        }
        let result = catch_unwind(|| SourceConfig::from_source_string(&text, &BTreeSet::new()))
            .unwrap_or_else(|_| panic!("seed {seed}: {text:?}"));
        let said = match result {
            Ok(source) => {
                accepted += 1;
                format!("{source:?}")
            }
            Err(said) => {
                refused += 1;
                assert!(!said.is_empty() && !said.chars().any(char::is_control), "seed {seed}: {said:?}");
                said
            }
        };
        assert!(!said.contains("Pa55word"), "seed {seed}: {text:?}: {said}");
    }
    println!("{} source strings: {accepted} accepted, {refused} refused", accepted + refused);
    assert!(accepted > 0 && refused > 0);
}
