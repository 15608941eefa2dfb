//! Timelines made at random, the same for the same seed.

use super::super::{Bar, Timeline, Unit};
use super::placed;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Any mix: processes with operations at once, moments that are the same, operations that take no time or have no answer,
/// long gaps. The order is one in which they can have had effect.
pub(super) fn timeline(seed: u64) -> Timeline {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let (processes, range) = (1 + random.below(7), [8, 60, 5_000][usize::try_from(random.below(3)).expect("small")]);
    let mut effects = Vec::new();
    let mut operations = Vec::new();
    for index in 0..usize::try_from(random.below(40)).expect("small") {
        let gap = if random.below(3) == 0 { 10_000_000 } else { 0 };
        let called = random.below(range) + gap;
        let took = if random.below(6) == 0 { 0 } else { random.below(range) };
        let effect = called + random.below(took + 1);
        let returned = (random.below(8) > 0).then_some(called + took);
        let effect = if returned.is_none() { effect + random.below(range) } else { effect };
        let [input, output] = [(); 2].map(|()| "x".repeat(usize::try_from(random.below(9)).expect("small")));
        let process = format!("process {}", random.below(processes));
        operations.push(Bar { process, name: "write".to_owned(), input, output, called, returned });
        effects.push((effect, index));
    }
    effects.sort_unstable();
    let length = usize::try_from(random.below(41)).expect("small").min(effects.len());
    let (order, rest) = effects.split_at(length);
    let order = order.iter().map(|(effect, index)| placed(*index, &format!("{}", effect % 3))).collect();
    let misfits = rest.iter().map(|(_, index)| *index).take(usize::try_from(random.below(4)).expect("small")).collect();
    let unit = [Unit::Microseconds, Unit::Lines][usize::try_from(random.below(2)).expect("small")];
    Timeline { unit, operations, order, misfits, ..Timeline::default() }
}

/// Enough to meet every mix.
pub(super) fn timelines() -> impl Iterator<Item = Timeline> {
    (0..400).map(timeline)
}
