//! What is packed agrees with what it is packed from.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{collections::BTreeSet, fs, path::Path};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The quoted words of the list `name = [..]`, without comments.
fn list(text: &str, name: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(&format!("\n{name} = [")).unwrap();
    let inside = rest.split_once(']').unwrap().0;
    let lines = inside.lines().filter(|line| !line.trim().starts_with('#'));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_notices_are_made_for_the_licenses_and_machines_that_are_allowed() {
    let (about, deny) = (read("packaging/about.toml"), read("deny.toml"));
    assert!(list(&deny, "allow").len() > 5, "{deny}");
    assert_eq!(list(&about, "accepted"), list(&deny, "allow"));
    assert_eq!(list(&about, "targets"), list(&deny, "targets"));
}

#[test]
fn the_container_is_built_by_the_setup_with_the_oldest_rust() {
    let file = read("packaging/container/Containerfile");
    let oldest =
        format!("FROM docker.io/library/rust:{}-slim-bookworm AS builder\n", env!("CARGO_PKG_RUST_VERSION"));
    for line in [
        &*oldest,
        "RUN scripts/setup ",
        "USER 10001:10001\n",
        "VOLUME /var/lib/pcount\n",
        "EXPOSE 9178\n",
        "STOPSIGNAL SIGTERM\n",
        "CMD [\"pcount-tui\", \"ctl\", \"status\"]\n",
        "CMD [\"serve\", \"--config\", \"/etc/pcount/config.json\"]\n",
    ] {
        assert!(file.contains(line), "{line}");
    }
}

#[test]
fn the_compose_files_name_files_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/container");
    let mut named = 0;
    for name in ["compose.yaml", "compose-fleet.yaml"] {
        for line in fs::read_to_string(folder.join(name)).unwrap().lines() {
            let Some(mount) = line.trim().strip_prefix("- .") else { continue };
            let path = format!(".{}", mount.split(':').next().unwrap());
            assert!(folder.join(&path).is_file(), "{name}: {path}");
            named += 1;
        }
    }
    assert!(named >= 10, "{named}");
}

#[test]
fn the_template_is_the_service_with_a_name() {
    // Without comments: each says what its configuration is.
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let service = read("packaging/debian/pcount.service")
        .replace("Count people crossing lines in cameras", "Count people crossing lines in cameras (%i)")
        .replace("/etc/pcount/config.json", "/etc/pcount/%i.json")
        .replace("StateDirectory=pcount\n", "StateDirectory=pcount pcount/%i\n")
        .replace("RuntimeDirectory=pcount\n", "RuntimeDirectory=pcount-%i\n")
        .replace("=/run/pcount\n", "=/run/pcount-%i\n");
    assert_eq!(lines(&read("packaging/debian/pcount@.service")), lines(&service));
}
