//! The page that Prometheus scrapes, taken apart.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::{BTreeMap, BTreeSet};

use crate::server::Server;

pub type Labels = BTreeMap<String, String>;

/// Every series with its value, and every family with its type.
pub struct Page {
    pub text: String,
    pub types: BTreeMap<String, String>,
    pub series: BTreeMap<(String, Labels), f64>,
}

impl Page {
    /// As of now.
    pub fn of(server: &Server) -> Self {
        let answer = server.get("/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Self::read(answer.text())
    }

    pub fn read(text: String) -> Self {
        let (mut types, mut series) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            } else if !line.starts_with('#') {
                let (what, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = what.split_once('{').unwrap_or((what, "}"));
                let key = (name.to_owned(), labels_of(labels.strip_suffix('}').unwrap()));
                assert!(series.insert(key, value.parse().unwrap()).is_none(), "twice: {line}");
            }
        }
        Self { text, types, series }
    }

    /// The value of one series.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.series.get(&(name.to_owned(), labels)).copied()
    }

    /// The sum of all series of a name that have `label`.
    pub fn sum(&self, name: &str, label: (&str, &str)) -> f64 {
        let all = self.series.iter().filter(|((of, labels), _)| {
            of == name && labels.get(label.0).is_some_and(|value| value == label.1)
        });
        all.map(|(_, value)| value).sum()
    }

    /// Names of series, with the labels that they have.
    pub fn names(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, labels) in self.series.keys() {
            names.entry(name).or_default().extend(labels.keys().map(|label| &**label));
        }
        names
    }

    /// Series that only grow: counters, and all of a histogram.
    pub fn counted(&self) -> impl Iterator<Item = (&(String, Labels), f64)> {
        let grows = |name: &str| {
            let family = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
            let histogram = family.and_then(|family| self.types.get(family));
            histogram.is_some_and(|kind| kind == "histogram")
                || self.types.get(name).is_some_and(|kind| kind == "counter")
        };
        self.series.iter().filter(move |((name, _), _)| grows(name)).map(|(key, value)| (key, *value))
    }
}

/// `a="1",b="x\"y"` as a map.
fn labels_of(mut text: &str) -> Labels {
    let mut labels = Labels::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let (mut value, mut characters) = (String::new(), rest.chars());
        loop {
            match characters.next().unwrap() {
                '"' => break,
                '\\' => value.push(match characters.next().unwrap() {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        }
        labels.insert(name.to_owned(), value);
        text = characters.as_str().trim_start_matches(',');
    }
    labels
}

#[test]
fn a_page_is_taken_apart() {
    let page = Page::read(
        "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1, {2}\",y=\"\\\"\\\\\"} 3\n# TYPE b histogram\n\
         b_bucket{le=\"+Inf\"} 2\nb_sum 0.5\nb_count 2\n# TYPE c gauge\nc 1\n"
            .into(),
    );
    assert_eq!(page.get("a_total", &[("x", "1, {2}"), ("y", "\"\\")]), Some(3.0));
    assert_eq!(page.sum("a_total", ("x", "1, {2}")), 3.0);
    assert_eq!(page.counted().count(), 4);
    assert_eq!(page.names()["b_bucket"], BTreeSet::from(["le"]));
}
