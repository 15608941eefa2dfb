//! What `/metrics` shows, in the text format of Prometheus (OpenMetrics).

use super::route::Operation;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the duration histogram: doubling from 50 µs, about a request's cost, past the lock's deadline.
const FIRST_DURATION_S: f64 = 0.000_05;
const DURATIONS: u16 = 18;

/// Bounds of the attempts histogram: doubling from 1 past the specification's 100.
const ATTEMPTS: u16 = 8;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOperation {
    operation: &'static str,
}

/// The server's counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<OfOperation, Histogram, fn() -> Histogram>,
    attempts: Histogram,
    /// Connections open now.
    pub connections: Gauge,
    /// Reservations given back since the start.
    pub given_back: Counter,
}

impl Metrics {
    /// Counters at zero.
    #[must_use]
    pub fn new() -> Self {
        let duration_histogram: fn() -> Histogram =
            || Histogram::new((0..DURATIONS).map(|n| FIRST_DURATION_S * f64::from(1_u32 << n)));
        let metrics = Self {
            registry: Registry::with_prefix("claimcheck"),
            requests: Family::default(),
            durations: Family::new_with_constructor(duration_histogram),
            attempts: Histogram::new((0..ATTEMPTS).map(|n| f64::from(1_u32 << n))),
            connections: Gauge::default(),
            given_back: Counter::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        let help = "Time from a request's head to its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, self.durations.clone());
        registry.register("key_attempts", "Keys tried by a request for one", self.attempts.clone());
        registry.register("connections", "Connections open now", self.connections.clone());
        registry.register("reservations_given_back", "Stale reservations given back", self.given_back.clone());
        self
    }

    /// Counts an answer. A path that names no operation counts as `none`.
    pub fn answered(&self, operation: Option<Operation>, status: u16, took: Duration) {
        let operation = operation.map_or("none", Operation::name);
        self.requests.get_or_create(&Answered { operation, status }).inc();
        self.durations.get_or_create(&OfOperation { operation }).observe(took.as_secs_f64());
    }

    /// Counts the keys that a generate-key tried.
    pub fn attempted(&self, attempts: u32) {
        self.attempts.observe(f64::from(attempts));
    }

    /// All counters as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_operation_and_status() {
        let metrics = Metrics::new();
        metrics.answered(Some(Operation::Save), 200, Duration::from_micros(80));
        metrics.answered(Some(Operation::Save), 200, Duration::from_micros(80));
        metrics.answered(None, 404, Duration::from_micros(10));
        metrics.attempted(3);
        let text = metrics.text();
        for line in [
            r#"claimcheck_requests_total{operation="save",status="200"} 2"#,
            r#"claimcheck_requests_total{operation="none",status="404"} 1"#,
            r#"claimcheck_request_duration_seconds_count{operation="save"} 2"#,
            "claimcheck_key_attempts_sum 3.0",
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing from\n{text}");
        }
    }
}
