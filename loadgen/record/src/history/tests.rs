use super::*;
use crate::figures::Took;
use contract::Operation;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What a server may send: JSON's own marks, line ends, other control characters, and letters beyond ASCII.
const HOSTILE: &str = "\"quoted\\\" \n\r\t\u{0}\u{1b}[31m\u{1f}\u{7f} ключ \u{2028}😀";

fn saved() -> HistoryLine<'static> {
    HistoryLine {
        process: 17,
        operation: Operation::Save,
        key: Some("A4K"),
        meant_us: 1_000,
        free_us: None,
        call_us: 1_003,
        input: Some("w17.n3.b2700"),
        answer: Some(Answer { return_us: 1_100, output: Output::Success("saved") }),
        timed_out_us: None,
        judgement: Judgement::Verified,
        phase: None,
    }
}

fn lost() -> HistoryLine<'static> {
    let judgement = Judgement::Error("no answer within 10 s");
    HistoryLine { answer: None, timed_out_us: Some(10_001_003), judgement, ..saved() }
}

fn refused(message: &str) -> HistoryLine<'_> {
    let output = Output::Refusal { status: 404, message };
    HistoryLine {
        operation: Operation::Restore,
        key: Some(message),
        input: None,
        answer: Some(Answer { return_us: 2_000, output }),
        judgement: Judgement::Wrong(message),
        phase: Some(Phase::SetUp),
        ..saved()
    }
}

fn written(line: &HistoryLine<'_>) -> String {
    let mut out = Vec::new();
    line.write_to(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// A finished history of these chunks.
fn history(folder: &Path, chunks: &[&str]) -> PathBuf {
    let path = folder.join("history.jsonl.zst");
    let writer = HistoryWriter::create(&path, &HistoryHeader::new(7, 5_000_000)).expect("creates");
    let sender = writer.sender();
    chunks.iter().for_each(|chunk| drop(sender.send(chunk.as_bytes().to_vec())));
    let bytes = writer.finish().expect("writes");
    assert_eq!(bytes, std::fs::metadata(&path).expect("there").len());
    path
}

fn first_error(path: &Path) -> String {
    match read_history(path) {
        Err(error) => error.to_string(),
        Ok(mut reader) => reader.find_map(Result::err).expect("an error").to_string(),
    }
}

#[test]
fn a_line_is_as_the_format_says() {
    assert_eq!(
        written(&saved()),
        "{\"process\":17,\"op\":\"save\",\"key\":\"A4K\",\"meant_us\":1000,\"call_us\":1003,\"return_us\":1100,\
         \"input\":\"w17.n3.b2700\",\"output\":\"saved\"}\n"
    );
    assert!(written(&lost()).ends_with(
        "\"return_us\":null,\"timed_out_us\":10001003,\"input\":\"w17.n3.b2700\",\"output\":null,\"error\":\"no answer within 10 s\"}\n"
    ));
    assert!(written(&refused("No saved data found")).ends_with(
        "\"input\":null,\"output\":{\"status\":404,\"message\":\"No saved data found\"},\
         \"wrong\":\"No saved data found\",\"phase\":\"set-up\"}\n"
    ));
}

#[test]
fn hostile_text_stays_on_its_line_and_comes_back_as_it_was() {
    let line = written(&refused(HOSTILE));
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    let value: Value = serde_json::from_str(&line).expect("JSON");
    for found in [&value["key"], &value["output"]["message"], &value["wrong"]] {
        assert_eq!(found, HOSTILE);
    }
}

#[test]
fn each_letter_alone_comes_back_as_it_was() {
    for letter in (0..=0xff).map(char::from) {
        let text = letter.to_string();
        let value: Value = serde_json::from_str(&written(&refused(&text))).expect("JSON");
        assert_eq!(value["output"]["message"], text.as_str());
    }
}

#[test]
fn lines_and_header_keep_to_the_schema_and_spoiled_ones_do_not() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for line in [saved(), lost(), refused(HOSTILE)] {
        let value: Value = serde_json::from_str(&written(&line)).expect("JSON");
        assert!(validator.is_valid(&value), "{value}");
    }
    let header = serde_json::to_value(HistoryHeader::new(7, 0)).expect("writes");
    assert!(validator.is_valid(&header));
    for (name, spoiled) in [
        ("op", json!("steal")),
        ("return_us", Value::Null),
        ("output", Value::Null),
        ("output", json!({"status": 404})),
        ("call_us", json!(-1)),
        ("phase", json!("later")),
        ("schema", json!(SCHEMA)),
    ] {
        let mut value: Value = serde_json::from_str(&written(&saved())).expect("JSON");
        value[name] = spoiled;
        assert!(!validator.is_valid(&value), "{value}");
    }
}

#[test]
fn a_history_is_read_back_as_it_was_written_from_many_frames() {
    let folder = tempfile::tempdir().unwrap();
    let chunk = written(&saved()) + &written(&refused(HOSTILE));
    let mut reader = read_history(&history(folder.path(), &[&chunk, &written(&lost()), &chunk])).expect("opens");
    assert_eq!(reader.header(), &HistoryHeader::new(7, 5_000_000));
    let records: Vec<HistoryRecord> = reader.by_ref().collect::<Result<_, _>>().expect("all whole");
    assert_eq!(records.len(), 5);
    let [save, refusal, lost] = &records[..3] else { panic!("{records:?}") };
    assert_eq!((save.operation, save.process, save.judgement()), (Operation::Save, 17, Judgement::Verified));
    let took = save.took().expect("answered");
    assert_eq!((took.response_us, took.service_us, save.slip_us()), (100, 97, 3));
    assert_eq!(refusal.output, Some(RecordedOutput::Refusal { status: 404, message: HOSTILE.to_owned() }));
    assert_eq!((refusal.judgement(), refusal.phase), (Judgement::Wrong(HOSTILE), Some(Phase::SetUp)));
    let waited = Took { response_us: 10_000_003, service_us: 10_000_000, is_timeout: true };
    assert_eq!((lost.took(), lost.judgement()), (Some(waited), Judgement::Error("no answer within 10 s")));
    assert!(reader.next().is_none());
}

#[test]
fn each_name_of_an_operation_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String =
        Operation::ALL.map(|operation| written(&HistoryLine { operation, key: None, ..saved() })).concat();
    let reader = read_history(&history(folder.path(), &[&lines])).expect("opens");
    let read: Vec<Operation> = reader.map(|record| record.expect("whole").operation).collect();
    assert_eq!(read, Operation::ALL);
}

#[test]
fn a_damaged_line_is_an_error_with_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(&saved());
    for (bad, reason) in [
        ("{}\n".to_owned(), "missing field"),
        ("\n".to_owned(), "EOF"),
        (good.replace("\"key\":\"A4K\",", ""), "missing field `key`"),
        (good.replace("save\"", "steal\""), "there is no operation \"steal\""),
        (good.replace("}\n", ",\"more\":1}\n"), "unknown field `more`"),
        (good.replace("\"saved\"", "null"), "both"),
        (good.replace("1100", "1002"), "before the call"),
        (good.replace("1100", "1100,\"timed_out_us\":1100"), "answered or timed out, not both"),
        (written(&lost()).replace("10001003", "1002"), "before the call"),
        (good.replace("1100", "null").replace("\"saved\"", "null"), "must have an error"),
        (good.replace("}\n", ",\"wrong\":\"x\",\"error\":\"y\"}\n"), "not both"),
        (good.trim_end().to_owned(), "its end is missing"),
    ] {
        let path = history(folder.path(), &[&good, &bad]);
        let error = first_error(&path);
        assert!(error.starts_with("line 3 of the history: ") && error.contains(reason), "{bad}: {error}");
    }
}

#[test]
fn nothing_is_read_after_the_first_error() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(&saved());
    let reader = read_history(&history(folder.path(), &[&good, "{}\n", &good])).expect("opens");
    assert_eq!(reader.map(|record| record.is_ok()).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_file_cut_short_or_with_a_flipped_bit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = history(folder.path(), &[&written(&saved()).repeat(100)]);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    assert!(first_error(&path).contains("incomplete frame"), "{}", first_error(&path));
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        assert!(first_error(&path).contains("line "), "byte {at}: {}", first_error(&path));
    }
}

#[test]
fn what_is_no_history_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zst");
    assert!(first_error(&path).contains("x.zst"));
    for (text, reason) in [
        ("", "line 1 of the history: the header is missing"),
        ("{\"schema\":\"claimcheck.history/1\",\"seed\":1,\"warm_up_us\":0}\n", "claimcheck.history/1"),
        ("{\"process\":1}\n", "line 1"),
    ] {
        let frame = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
        std::fs::write(&path, frame).unwrap();
        assert!(first_error(&path).contains(reason), "{}", first_error(&path));
    }
}

#[test]
fn many_workers_lose_nothing_and_are_given_buffers_again() {
    const WORKERS: u64 = 4;
    const CHUNKS: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl.zst");
    let writer = HistoryWriter::create(&path, &HistoryHeader::new(1, 0)).expect("creates");
    let work = |process: u64| {
        let sender = writer.sender();
        let mut buffer = Vec::new();
        for _ in 0..CHUNKS {
            assert!(buffer.is_empty(), "a buffer to go on with is empty");
            HistoryLine { process, ..saved() }.write_to(&mut buffer);
            buffer = sender.send(buffer);
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|process| drop(scope.spawn(move || work(process)))));
    writer.finish().expect("writes");
    let mut counts = vec![0; usize::try_from(WORKERS).unwrap()];
    for record in read_history(&path).expect("opens") {
        counts[usize::try_from(record.expect("whole").process).unwrap()] += 1;
    }
    assert_eq!(counts, vec![CHUNKS; counts.len()]);
}

#[test]
fn a_failed_write_is_told_at_the_end_and_blocks_nobody() {
    // Every write to /dev/full fails as on a full disk; the small header reaches it at once.
    let error = HistoryWriter::create(Path::new("/dev/full"), &HistoryHeader::new(1, 0)).expect_err("full");
    assert!(error.to_string().starts_with("/dev/full: "), "{error}");
}

#[test]
fn a_history_that_failed_half_way_takes_chunks_to_the_end() {
    // A pipe whose reader goes away after the header: writes fail from then on.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let (writer, reader) = std::thread::scope(|scope| {
        let opening = scope.spawn(|| std::fs::File::open(&path).unwrap());
        let writer = HistoryWriter::create(&path, &HistoryHeader::new(1, 0)).expect("creates");
        (writer, opening.join().unwrap())
    });
    drop(reader);
    let sender = writer.sender();
    for _ in 0..500 {
        let chunk = written(&saved()).repeat(100).into_bytes();
        assert!(sender.send(chunk).is_empty());
    }
    let error = writer.finish().expect_err("the reader is gone");
    assert!(error.to_string().contains("pipe: "), "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let after = sender.send(vec![1]);
    assert!(after.is_empty(), "a chunk after the end is taken as well");
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zst");
    let mut file = std::fs::File::create(&path).unwrap();
    let zeros = vec![b' '; 4 * 1024 * 1024];
    file.write_all(&zstd::bulk::compress(&zeros, 1).unwrap()).unwrap();
    assert!(first_error(&path).contains("it is longer than any can be"), "{}", first_error(&path));
}

#[test]
fn what_a_user_waited_for_an_answer_is_not_the_generators_slip() {
    let waited = HistoryLine { free_us: Some(1_001), ..saved() };
    let folder = tempfile::tempdir().expect("a folder");
    let path = history(folder.path(), &[&written(&waited), &written(&saved())]);
    let slips: Vec<u64> = read_history(&path).expect("opens").map(|line| line.expect("reads").slip_us()).collect();
    assert_eq!(slips, [2, 3]);
}
