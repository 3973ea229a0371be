//! What is counted. Every series is there from the start, with zero.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

/// Handles of the river's metrics, taken once from the recorder that is installed when they are made.
pub(crate) struct LiveMetrics {
    pub(crate) connections: Gauge,
    pub(crate) subscriptions: Gauge,
    pub(crate) delivered: Counter,
    pub(crate) conflated: Counter,
    pub(crate) orphan: Counter,
    pub(crate) delay: Histogram,
    pub(crate) auth_known: Counter,
    pub(crate) auth_nobody: Counter,
    pub(crate) auth_unknown: Counter,
    pub(crate) access_allowed: Counter,
    pub(crate) access_forbidden: Counter,
    pub(crate) access_unknown: Counter,
    pub(crate) roster_age: Gauge,
    pub(crate) roster_devices: Gauge,
}

impl Default for LiveMetrics {
    fn default() -> Self {
        let positions =
            |outcome: &'static str| counter!("processor_live_positions_total", "outcome" => outcome);
        let auth = |outcome: &'static str| counter!("processor_live_auth_total", "outcome" => outcome);
        let access = |outcome: &'static str| counter!("processor_live_access_total", "outcome" => outcome);
        Self {
            connections: gauge!("processor_live_connections"),
            subscriptions: gauge!("processor_live_subscriptions"),
            delivered: positions("delivered"),
            conflated: positions("conflated"),
            orphan: positions("orphan"),
            delay: histogram!("processor_live_delay_seconds"),
            auth_known: auth("known"),
            auth_nobody: auth("nobody"),
            auth_unknown: auth("unknown"),
            access_allowed: access("allowed"),
            access_forbidden: access("forbidden"),
            access_unknown: access("unknown"),
            roster_age: gauge!("processor_roster_age_seconds"),
            roster_devices: gauge!("processor_roster_devices"),
        }
    }
}

/// Says what each metric means, to the recorder that is installed.
pub fn describe_metrics() {
    let counters = [
        (
            "processor_live_positions_total",
            "Positions offered to viewers, counted for each viewer: delivered, or left out because a newer one of \
             the same device was delivered (conflated); and positions of devices in no event (orphan)",
        ),
        ("processor_live_auth_total", "Answers to the question who somebody is"),
        ("processor_live_access_total", "Answers to the question whether somebody may see an event"),
    ];
    for (name, meaning) in counters {
        describe_counter!(name, Unit::Count, meaning);
    }
    let gauges = [
        ("processor_live_connections", "Viewers' sockets that are open"),
        ("processor_live_subscriptions", "Topics being watched, counted for each socket"),
        ("processor_roster_devices", "Devices that take part in any event"),
    ];
    for (name, meaning) in gauges {
        describe_gauge!(name, Unit::Count, meaning);
    }
    describe_gauge!(
        "processor_roster_age_seconds",
        Unit::Seconds,
        "Time since the roster was last read; since the start if it never was"
    );
    describe_histogram!(
        "processor_live_delay_seconds",
        Unit::Seconds,
        "From the stream's taking the oldest position of a frame to the frame's having been written to a viewer"
    );
}
