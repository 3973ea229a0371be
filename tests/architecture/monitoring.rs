//! Alert rules and the dashboard speak of metrics that there are, and each alert has a page to turn to.

use std::collections::BTreeSet;
use std::fs;

use processor_domain::ports::StoreFailure;

use super::{called, root, source_files};

const RULES: &str = "deploy/monitoring/prometheus/rules.yaml";
const DASHBOARD: &str = "deploy/monitoring/grafana/dashboards/processor.json";
const RUNBOOK: &str = "docs/operations.md";

fn text_of(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names of metrics in a text, wherever they stand.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    words.filter(|word| word.starts_with("processor_")).collect()
}

/// What the program counts: every name in quotation marks in the sources of its crates.
fn counted() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in source_files() {
        let place = called(&path);
        if ["application/", "adapters/", "app/"].iter().any(|crates| place.starts_with(crates)) {
            let source = fs::read_to_string(&path).unwrap_or_default();
            let quoted = source.split('"').filter(|text| metrics_in(text).contains(text));
            names.extend(quoted.map(str::to_owned));
        }
    }
    assert!(names.contains("processor_records_total"), "metrics are looked for in the wrong place");
    names
}

/// Whether there is such a series: a metric, or one of those that a histogram is made of.
fn exists(series: &str, counted: &BTreeSet<String>) -> bool {
    let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|part| series.strip_suffix(part));
    counted.contains(series) || histogram.is_some_and(|name| counted.contains(name))
}

#[test]
fn rules_and_dashboard_speak_of_metrics_that_there_are() {
    let counted = counted();
    for file in [RULES, DASHBOARD] {
        let text = text_of(file);
        let metrics = metrics_in(&text);
        assert!(metrics.len() > 10, "{file} is about nothing");
        let unknown: Vec<_> = metrics.into_iter().filter(|series| !exists(series, &counted)).collect();
        assert!(unknown.is_empty(), "{file} speaks of metrics that there are not: {unknown:?}");
    }
}

#[test]
fn each_alert_has_a_section_of_the_runbook_and_names_it() {
    let (rules, runbook) = (text_of(RULES), text_of(RUNBOOK));
    let sections: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{RULES} has no alerts");
    for alert in alerts {
        assert!(sections.contains(alert), "{RUNBOOK} has no section {alert}");
        let link = format!("{RUNBOOK}#{}", alert.to_lowercase());
        assert!(rules.contains(&link), "{alert} does not name its section: {link}");
    }
}

#[test]
fn the_runbook_says_what_each_kind_of_failed_write_means() {
    let runbook = text_of(RUNBOOK);
    let rows: Vec<&str> = runbook.lines().filter(|line| line.starts_with("| `")).collect();
    for kind in StoreFailure::ALL {
        let word = format!("`{kind}`");
        let explained =
            rows.iter().any(|row| row.split('|').nth(1).is_some_and(|kinds| kinds.contains(&word)));
        assert!(explained, "{RUNBOOK} does not say what {word} means");
    }
}
