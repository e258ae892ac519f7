use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_args(line.split_whitespace())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_original_command_line_is_kept() {
    let cli = parse("pcount-tui --config cams.json --workers 3 --output out").unwrap();
    assert_eq!(cli.run.config, Some("cams.json".into()));
    let overrides = cli.run.counting.overrides();
    assert_eq!(overrides.workers, Some(3));
    assert_eq!(overrides.output, Some("out".into()));
    assert!(!cli.run.is_headless());
}

#[test]
fn every_call_of_the_manual_parses() {
    for line in [
        "pcount-tui a.mp4 rtsp://u:p@h/1 demo:lobby",
        "pcount-tui --config c.json --headless --json --duration 10m",
        "pcount-tui --config c.json --once --format {in}",
        "pcount-tui a.mp4 --detector rtmdet:m.onnx --engine opencv --fresh --color never --ascii --read-only",
        "pcount-tui serve --config c.json --workers 2 --output o --log-level debug --detector motion --fresh",
        "pcount-tui check --config c.json --probe",
        "pcount-tui config migrate c.json --dry-run",
        "pcount-tui doctor",
        "pcount-tui doctor --config c.json --output o --no-connect --show-addresses --json",
        "pcount-tui eval a b --detector builtin --json --tracks o --start-offset 3 --detect-fps 5",
        "pcount-tui eval a --every 4 --record d --tracker centroid",
        "pcount-tui eval a --replay d",
        "pcount-tui eval --mot a b --tracks o",
        "pcount-tui eval a --by-need --set band=0.2 --set rate_near_step=0.1",
        "pcount-tui eval --constants --json",
        "pcount-tui bench --source a.mp4 --streams 16 --realtime --duration 20s --json",
        "pcount-tui bench --report",
        "pcount-tui bench --report machine.json --quick --source a.mp4 --detector builtin",
        "pcount-tui models",
        "pcount-tui models verify --dir m",
        "pcount-tui models fetch person",
        "pcount-tui report --since 7d --by 15m --format csv",
        "pcount-tui report --since 7d --format html",
        "pcount-tui report --since 2026-03-13 --until 2026-03-14 --by hour",
        "pcount-tui evidence list --since 24h --camera camera_01 --direction in --judged suppressed --json",
        "pcount-tui evidence show 2026-03-14-17 --out a.jpg --config c.json",
        "pcount-tui evidence delete --since 2026-03-14T10:00:00Z --until 1h --camera camera_01 --output out",
        "pcount-tui schema",
        "pcount-tui completions bash",
        "pcount-tui man",
    ] {
        if let Err(error) = parse(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_known() {
    for (line, wanted) in [
        ("pcount-tui", "name a configuration with --config FILE, or sources such as"),
        ("pcount-tui --headless", "nothing to count"),
        ("pcount-tui --config c.json a.mp4", "cannot be used with"),
        ("pcount-tui a.mp4 --workers 0", "give a whole number from 1 to 256"),
        ("pcount-tui a.mp4 --duration 10", "'10' is no duration; the unit is missing"),
        ("pcount-tui a.mp4 --detector rtmdt:m", "did you mean 'rtmdet'?"),
        ("pcount-tui a.mp4 --format {in}", "--once"),
        ("pcount-tui eval", "<DIR>"),
        ("pcount-tui eval a --set bnd=0.2", "did you mean 'band'"),
        ("pcount-tui eval a --set band=high", "give a number from 0 to 10 (body heights)"),
        ("pcount-tui bench --streams 4", "--source"),
        ("pcount-tui bench --source a.mp4 --quick", "--report"),
        ("pcount-tui bench --report --streams 4", "cannot be used with"),
        ("pcount-tui report --by week", "15m, hour, day"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        let text = error.to_string();
        assert!(text.contains(wanted), "{line}: {text}");
    }
}

#[test]
fn help_version_and_generated_pages_are_whole() {
    for line in ["pcount-tui --help", "pcount-tui --version", "pcount-tui help eval"] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 0, "{line}");
    }
    let mut page = Vec::new();
    man(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for wanted in ["\\-\\-headless", "PCOUNT-TUI EVAL", "\\-\\-start\\-offset", "PCOUNT_WORKERS"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let mut script = Vec::new();
    completions(clap_complete::Shell::Bash, &mut script).unwrap();
    assert!(String::from_utf8(script).unwrap().contains("--headless"));
}
