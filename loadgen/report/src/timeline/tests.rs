//! The picture as a whole, over timelines made at random and over hostile ones.

mod layout;
mod markup;
mod page;
mod random;
mod shown;
mod terminal;

use super::{Bar, Placed, Timeline, Unit};

fn bar(process: &str, name: &str, input: &str, output: &str, called: u64, returned: impl Into<Option<u64>>) -> Bar {
    let [process, name, input, output] = [process, name, input, output].map(str::to_owned);
    Bar { process, name, input, output, called, returned: returned.into() }
}

fn placed(operation: usize, state: &str) -> Placed {
    Placed { operation, state: state.to_owned() }
}

/// A read of what was overwritten before it began.
fn stale_read() -> Timeline {
    Timeline {
        title: "Stale read under key A4K".to_owned(),
        summary: vec!["User 17's save of B was acknowledged.".to_owned(), "User 3 got A afterwards.".to_owned()],
        unit: Unit::Microseconds,
        operations: vec![
            bar("user 3", "instantiate", "A", "A4K", 1_000, 3_000),
            bar("user 17", "save", "B", "saved", 4_000, 8_000),
            bar("user 8", "restore", "", "B", 5_000, 9_000),
            bar("user 3", "restore", "", "A", 9_500, 12_000),
        ],
        order: vec![placed(0, "A"), placed(1, "B"), placed(2, "B")],
        misfits: vec![3],
        initial_state: "nothing".to_owned(),
        hidden: 2,
    }
}

/// The same with text everywhere that tries to break out of where it is, and to be long.
fn hostile() -> Timeline {
    const TEXT: &str =
        "</title></style>--><script>alert(1)</script>\" onload='x' &lt; \u{202e}lia\u{0}\u{1b}[31m\u{200b} ]]>\n";
    let long = TEXT.repeat(1 + 100_000 / TEXT.len());
    let mut timeline = stale_read();
    timeline.title.clone_from(&long);
    timeline.summary = vec![long.clone(), TEXT.to_owned()];
    timeline.initial_state.clone_from(&long);
    for bar in &mut timeline.operations {
        bar.process.push_str(TEXT);
        bar.name = format!("\u{2067}{TEXT}");
        bar.input.clone_from(&long);
        bar.output = "文".repeat(100_000);
    }
    timeline.operations[2].process.clone_from(&long);
    timeline.order[2].state.clone_from(&long);
    timeline.order[1].state = long;
    timeline
}

/// Operations of one process, one after another, each in the order, with a last one that fits nowhere.
fn chain(count: usize) -> Timeline {
    let at = |place: usize| u64::try_from(place).expect("few") * 10;
    let operation = |place| bar("user 1", "save", "v", "saved", at(place), at(place) + 5);
    Timeline {
        operations: (0..count).map(operation).collect(),
        order: (0..count.saturating_sub(1)).map(|place| placed(place, &format!("v{place}"))).collect(),
        misfits: count.checked_sub(1).into_iter().collect(),
        ..Timeline::default()
    }
}
