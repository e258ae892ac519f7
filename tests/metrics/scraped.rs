//! Prometheus scrapes a service, stores what it says, and answers questions about it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use serde_json::json;

use crate::{
    names::{expressions, path},
    page::Page,
    prometheus::Prometheus,
    server::{Server, TOKEN, camera, config, until},
};

#[test]
fn prometheus_scrapes_with_a_token_and_its_queries_give_what_was_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = config(dir.path(), &[camera("gate"), camera("hall")], true);
    settings["cameras"][0]["zones"] =
        json!([{ "name": "lobby", "points": [[0, 0], [1, 0], [1, 1], [0, 1]] }]);
    settings["parallel_config"]["areas"] = json!([{ "name": "house", "lines": ["gate/*", "!hall/*"] }]);
    // Its server is not there: that is a delivery that failed, and crossings that wait.
    settings["parallel_config"]["webhooks"] =
        json!([{ "url": "http://127.0.0.1:9/", "secret_file": "secret" }]);
    fs::write(dir.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let server = Server::start(dir.path(), &settings);
    fs::write(dir.path().join("token"), TOKEN).unwrap();
    let scrape = format!(
        "global: {{ scrape_interval: 250ms, evaluation_interval: 250ms }}
rule_files: ['{rules}']
scrape_configs:
  - job_name: pcount
    authorization: {{ credentials_file: token }}
    static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]
  - job_name: wrong
    authorization: {{ credentials: not-the-token-that-is-known }}
    static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]
",
        rules = path("docs/prometheus/alerts.yml").display(),
        port = server.port.unwrap(),
    );
    let Some(prometheus) = Prometheus::start(dir.path(), &scrape) else { return };
    let value = |expression: &str| prometheus.query(expression).first().map(|(_, value)| *value);
    until("a scrape", || (value("up{job='pcount'}") == Some(1.0)).then_some(()));
    until("a crossing", || value("sum(pcount_crossings_total)").filter(|count| *count > 0.0));
    until("both cameras", || (value("count(pcount_source_up == 1)") == Some(2.0)).then_some(()));
    until("a scrape with a wrong token", || (value("up{job='wrong'}") == Some(0.0)).then_some(()));

    // Nothing is counted any more: both say the same.
    server.post("/api/v1/control", &json!({ "do": "pause_all" }));
    until("the same counts", || {
        let page = Page::of(&server);
        let said =
            |direction: &str| value(&format!("sum(pcount_crossings_total{{direction='{direction}'}})"));
        let is_paused = page.get("pcount_source_state", &[("camera", "gate"), ("state", "Paused")]);
        let same =
            |direction| said(direction) == Some(page.sum("pcount_crossings_total", ("direction", direction)));
        let inside = page.get("pcount_occupancy", &[("area", "house")]);
        let same_inside = inside.is_some() && value("pcount_occupancy{area='house'}") == inside;
        (is_paused == Some(1.0) && same("in") && same("out") && same_inside).then_some(())
    });
    assert!(value("sum(pcount_crossings_total)").unwrap() > 0.0);
    assert!(value("histogram_quantile(0.5, pcount_frame_age_seconds_bucket)").unwrap() > 0.0);

    // Every panel of the dashboard is answered, and gives something where there is something to show.
    let mut silent: Vec<String> = expressions();
    silent.retain(|expression| !expression.starts_with("label_values"));
    assert!(silent.len() > 30, "{silent:?}");
    for expression in &mut silent {
        *expression = expression.replace("$__rate_interval", "1h").replace("$__range", "1d");
        for variable in ["job", "instance", "camera"] {
            *expression = expression.replace(&format!("${variable}"), ".*");
        }
        assert!(!expression.contains('$'), "{expression}");
    }
    // A rate needs two scrapes.
    until("every panel", || {
        silent.retain(|expression| prometheus.query(expression).is_empty());
        let may_be_empty = |expression: &String| expression.contains("pcount_crossings_suppressed_total");
        silent.iter().all(may_be_empty).then_some(())
    });

    until("the rules to be evaluated", || {
        let groups = prometheus.asked("/api/v1/rules")["groups"].as_array().unwrap().clone();
        let rules: Vec<_> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
        assert_eq!(rules.len(), 7);
        let faults: Vec<_> = rules.iter().filter(|rule| rule["health"] == "err").collect();
        assert!(faults.is_empty(), "{faults:?}");
        // The first group is due at once, the second within its interval of a quarter of an hour.
        let evaluated = rules.iter().filter(|rule| rule["health"] == "ok").count();
        (evaluated >= 5).then_some(())
    });
}
