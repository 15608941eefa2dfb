use super::*;
use check::anomaly::Anomaly;
use check::documents::whole::Verdict;
use record::history::{Accesses, read_history};
use std::collections::HashMap;

const WORKLOADS: [Workload; 3] = [Workload::Keys, Workload::OneDocument, Workload::Deletes];

fn order(workload: Workload, operations: u64) -> Order {
    Order { workload, operations, seed: 7, is_spoiled: false }
}

/// The history as the judge reads it from a file, with the verdict.
fn judged(order: Order) -> (Accesses, Verdict) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl.zst");
    write(order.begin(), order.seed, &path).expect("it is written");
    let accesses = Accesses::gather(read_history(&path).expect("it opens")).expect("it is a history");
    let verdict = Verdict::of(&accesses.by_key);
    (accesses, verdict)
}

/// How many operations are under way at most, and on average.
fn concurrency(history: &[Made]) -> (i32, f64) {
    let mut changes: Vec<(u64, i32)> =
        history.iter().flat_map(|made| [(made.called_us, 1), (made.returned_us, -1)]).collect();
    changes.sort_unstable();
    let mut now = 0;
    let most = changes.iter().map(|(_, change)| {
        now += change;
        now
    });
    let most = most.max().expect("operations");
    let busy_us: u64 = history.iter().map(|made| made.returned_us - made.called_us).sum();
    (most, busy_us as f64 / changes.last().expect("operations").0 as f64)
}

/// What a store must answer where nothing is at once.
fn replayed(documents: &mut HashMap<usize, Content>, made: &Made) -> Said {
    let there = documents.get(&made.key).copied();
    match (made.operation, there) {
        (Operation::GenerateKey, None) => Said::Handed,
        (Operation::Instantiate, None) => {
            documents.insert(made.key, made.input.expect("a content"));
            Said::Created
        }
        (Operation::Instantiate, Some(_)) => Said::Existed,
        (Operation::Save, _) => {
            documents.insert(made.key, made.input.expect("a content"));
            Said::Saved
        }
        (Operation::Restore, Some(content)) => Said::Shows(content),
        (Operation::Delete, Some(_)) => {
            documents.remove(&made.key);
            Said::Deleted
        }
        (Operation::Restore | Operation::Delete, None) => Said::NotFound,
        (operation, there) => panic!("{operation} where {there:?} is"),
    }
}

#[test]
fn the_order_of_effects_explains_every_answer() {
    for workload in WORKLOADS {
        let mut history: Vec<Made> = order(workload, 20_000).begin().collect();
        history.sort_by_key(|made| made.effect);
        assert!(history.is_sorted_by_key(|made| made.effect_us));
        let mut documents = HashMap::new();
        for made in &history {
            assert!(made.called_us <= made.effect_us && made.effect_us <= made.returned_us, "{made:?}");
            assert!(made.returned_us - made.called_us <= LONGEST_US, "{made:?}");
            assert_eq!(replayed(&mut documents, made), made.said, "{workload:?}: {made:?}");
        }
    }
}

#[test]
fn the_judge_reads_every_operation_and_finds_each_workload_linearizable() {
    for workload in WORKLOADS {
        let order = order(workload, 20_000);
        let (accesses, verdict) = judged(order);
        assert_eq!(accesses.operations, order.operations);
        assert_eq!((verdict.documents, verdict.accesses), (order.keys(), order.operations));
        assert_eq!(verdict.is_linearizable(), Some(true), "{workload:?}: {verdict:?}");
    }
}

#[test]
fn all_users_are_at_once_on_one_document_and_each_user_does_one_thing_at_a_time() {
    for (workload, least) in [(Workload::Keys, 45.0), (Workload::OneDocument, 95.0), (Workload::Deletes, 14.0)] {
        let order = order(workload, 20_000);
        let history: Vec<Made> = order.begin().collect();
        let (most, mean) = concurrency(&history);
        assert!(most <= i32::try_from(order.users()).expect("few") && mean >= least, "{workload:?}: {most}, {mean}");
        let mut free_us = vec![0; order.users()];
        for made in &history {
            assert!(made.called_us >= free_us[made.process], "{made:?}");
            free_us[made.process] = made.returned_us;
        }
    }
}

#[test]
fn keys_are_handed_out_again_and_looked_at_by_others() {
    let history: Vec<Made> = order(Workload::Keys, 20_000).begin().collect();
    let handed = history.iter().filter(|made| made.said == Said::Handed).count();
    assert!(handed > 1_500, "{handed} times 1,000 keys");
    let owner: HashMap<Content, usize> = history.iter().filter_map(|made| Some((made.input?, made.process))).collect();
    let is_others = |made: &&Made| matches!(made.said, Said::Shows(content) if owner[&content] != made.process);
    assert!(history.iter().filter(is_others).count() > 100);
}

#[test]
fn a_spoiled_history_has_one_stale_read() {
    for workload in [Workload::Keys, Workload::OneDocument] {
        let right = order(workload, 20_000);
        let (_, verdict) = judged(Order { is_spoiled: true, ..right });
        assert_eq!(verdict.anomalies.values().sum::<u64>(), 1, "{workload:?}: {verdict:?}");
        assert_eq!(verdict.counterexamples[0].anomaly, Anomaly::StaleRead);
        let spoiled = Order { is_spoiled: true, ..right }.begin();
        assert_eq!(right.begin().zip(spoiled).filter(|(right, spoiled)| right != spoiled).count(), 1);
    }
}

#[test]
fn the_same_seed_makes_the_same_history() {
    let made = |seed| Order { seed, ..order(Workload::Keys, 1_000) }.begin().collect::<Vec<Made>>();
    assert_eq!(made(3), made(3));
    assert_ne!(made(3), made(4));
}
