//! Attempts as criterion measures them: with intervals, stored beside times.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};

/// Counts keys tried. Only a bench by `iter_custom`, which returns the sum of its requests' attempts, can: criterion
/// itself can look at nothing that would tell them. Any other comes to 0, which criterion refuses.
pub(crate) struct Attempts;

impl Measurement for Attempts {
    type Intermediate = ();
    type Value = u64;

    fn start(&self) {}

    fn end(&self, (): ()) -> u64 {
        self.zero()
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, attempts: &u64) -> f64 {
        *attempts as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Plainly
    }
}

/// Attempts are between 1 and 100: they need no other unit.
struct Plainly;

impl ValueFormatter for Plainly {
    fn scale_values(&self, _typical: f64, _attempts: &mut [f64]) -> &'static str {
        "attempts"
    }

    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (amount, unit) = match *throughput {
            Throughput::Elements(n) | Throughput::ElementsAndBytes { elements: n, .. } => (n, "elements/attempt"),
            Throughput::Bytes(n) | Throughput::BytesDecimal(n) => (n, "bytes/attempt"),
            Throughput::Bits(n) => (n, "bits/attempt"),
        };
        values.iter_mut().for_each(|attempts| *attempts = amount as f64 / *attempts);
        unit
    }

    fn scale_for_machines(&self, _attempts: &mut [f64]) -> &'static str {
        "attempts"
    }
}
