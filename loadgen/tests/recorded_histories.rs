//! Histories that others recorded, with known verdicts: what the checker says of each, against something that nobody
//! here wrote.

use loadgen::judge::recorded::{Limits, judge_kv, judge_register};
use std::path::Path;

#[test]
fn recorded_histories_have_the_verdicts_that_are_known() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/check/histories"));
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).expect("the list of verdicts");
    let mut judged = 0;
    for line in expected.lines().skip(1) {
        let (file, is_linearizable) = line.split_once('\t').expect("a file and its verdict");
        let text = std::fs::read_to_string(folder.join(file)).expect("a history");
        let mut limits = Limits { memory_bytes: 1 << 30, must_stop: &mut || false };
        let judge = if file.starts_with("etcd/") { judge_register } else { judge_kv };
        let verdict = judge(&text, &mut limits).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(verdict.is_linearizable, Some(is_linearizable == "true"), "{file}");
        judged += 1;
    }
    assert_eq!(judged, 54, "all of them");
}
