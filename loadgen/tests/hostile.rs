//! Targets that keep no contract, or not for long: a clear error or an honest verdict, never a panic, a hang, or an
//! accusation.

mod support;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use record::claims::Verdict;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use std::net::TcpListener;
use std::sync::Arc;
use support::harness::{Run, loadgen, names, verify, verify_target};
use support::hostile::{self, Hostile};

/// Runs a few claims on a hostile server; never may the harness itself fail.
fn tried(kind: Hostile, only: &str) -> Run {
    let server = hostile::spawn(kind);
    let run = verify(&["--target", &server.url, "--quick", "--only", only]);
    assert!(!run.stderr.contains("panicked"), "{kind:?}: {}", run.stderr);
    run
}

/// What does not speak the contract is refused before anything is tried, in words that say what came back.
fn is_refused(kind: Hostile, what: &str) {
    let run = tried(kind, "S1");
    assert_eq!(run.code, 2, "{kind:?}: {}", run.stderr);
    assert!(run.stderr.contains(what) && run.report.is_none(), "{kind:?}: {}", run.stderr);
}

#[test]
fn what_is_not_http_is_refused() {
    is_refused(Hostile::NotHttp, "not HTTP");
}

#[test]
fn garbage_is_refused() {
    is_refused(Hostile::Garbage, "does not speak the wire contract");
}

#[test]
fn a_web_page_is_refused_by_its_first_words() {
    is_refused(Hostile::Html, "<");
}

#[test]
fn a_server_that_never_answers_is_refused() {
    is_refused(Hostile::Hangs, "no answer within 10 s");
}

#[test]
fn a_server_that_closes_connections_is_refused() {
    is_refused(Hostile::Closes, "connection closed without an answer");
}

#[test]
fn half_an_answer_is_refused() {
    is_refused(Hostile::HalfAnswer, "no answer within 10 s");
}

#[test]
fn a_redirect_is_not_followed() {
    is_refused(Hostile::Redirects, "302");
}

/// Regression: only the status was printed.
#[test]
fn a_redirect_is_reported_with_where_it_leads_and_the_target_to_give_instead() {
    is_refused(Hostile::Moved, "redirects to https://elsewhere.test/php/api/list.php (301)");
    is_refused(Hostile::Moved, "--target https://elsewhere.test/\n");
}

/// Regression: its bytes were printed as text.
#[test]
fn a_compressed_answer_is_named_as_such() {
    is_refused(Hostile::Compressed, "compressed with \"gzip\"");
}

/// Regression: the message asked whether the server was running.
#[test]
fn a_certificate_that_is_not_trusted_is_named_with_what_to_do() {
    let run = verify(&["--target", &self_signed()]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for part in ["certificate", "UnknownIssuer", "SSL_CERT_FILE"] {
        assert!(run.stderr.contains(part), "{part:?} is missing from {}", run.stderr);
    }
    assert!(!run.stderr.contains("Is the server running"), "{}", run.stderr);
}

/// A certificate for 127.0.0.1 that is signed by its own key, in DER.
const CERTIFICATE: &str = "MIIBjjCCATOgAwIBAgIUR4dhNYlCdLv0Tc+b8lFurEQ/6IAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2\
    MTEzMDIwNDkxNloYDzIxMjYxMTA2MjA0OTE2WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
    AAQPVFlHtpNuMHfcr3OOGKUxiWI54HRn/5uPPtHOQtRSNsm+9MbEELmCMtTZDEVlh6Uim9bdvKOpt2c8RA5RifvUo2EwXzAdBgNV\
    HQ4EFgQU4pk70jF5ZnkvmxsXj58WKvkA0v8wHwYDVR0jBBgwFoAU4pk70jF5ZnkvmxsXj58WKvkA0v8wDwYDVR0RBAgwBocEfwAA\
    ATAMBgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0kAMEYCIQDECSz2mkg8dIHageZ/1h7hVlLpMs7he6c+TcqmmMWXEAIhANksuVHp\
    6F/lo0O7vqj1QFZQ1hWKg69us4ck20QFA/Fg";
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmFz79FxfGCSF0x6V6njTBnWPsPitWQPo4Ku4LwSkktWhRANCAAQP\
    VFlHtpNuMHfcr3OOGKUxiWI54HRn/5uPPtHOQtRSNsm+9MbEELmCMtTZDEVlh6Uim9bdvKOpt2c8RA5RifvU";

/// The URL of a server over TLS whose certificate no authority has signed.
fn self_signed() -> String {
    let decoded = |text: &str| BASE64_STANDARD.decode(text).expect("base64");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = PrivatePkcs8KeyDer::from(decoded(KEY)).into();
    let config = ServerConfig::builder().with_no_client_auth();
    let config =
        Arc::new(config.with_single_cert(vec![decoded(CERTIFICATE).into()], key).expect("they belong together"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("https://{}", listener.local_addr().expect("it listens"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is whole");
            // The client breaks it off.
            let _ = connection.complete_io(&mut stream);
        }
    });
    url
}

#[test]
fn an_endless_answer_is_refused() {
    is_refused(Hostile::Huge, "an answer of more than");
}

#[test]
fn a_server_that_is_not_there_is_refused() {
    let gone = hostile::spawn(Hostile::Html);
    let url = gone.url.clone();
    drop(gone);
    let run = verify(&["--target", &url]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("cannot reach") && run.stderr.contains("Is the server running"), "{}", run.stderr);
}

#[test]
fn a_server_that_dies_on_the_way_leaves_claims_undecided() {
    for kind in [Hostile::DiesLater(400), Hostile::HangsLater(400)] {
        let run = tried(kind, "R5,S1,S2,S3,S4,K7");
        assert_eq!(run.code, 3, "{kind:?}: {}", run.stderr);
        let report = run.report.as_ref().expect("a report");
        let verdicts: Vec<Verdict> = report.targets[0].claims.iter().map(|claim| claim.verdict).collect();
        assert!(
            !verdicts.contains(&Verdict::Refuted) && verdicts.contains(&Verdict::Inconclusive),
            "{kind:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("stopped answering"), "{kind:?}: {}", run.stderr);
    }
}

#[test]
fn a_slow_server_is_judged_as_far_as_the_time_allows() {
    let run = tried(Hostile::Slow, "S3,K7");
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(run.verdict("K7").0, Verdict::Inconclusive);
}

/// Regression: `verify` printed messages, keys and bodies as they came, and wrote them to `summary.md` as they came; `run`
/// printed what reverses text.
#[test]
fn nothing_that_a_server_says_steers_a_terminal_or_becomes_markup() {
    for command in [
        &["verify", "--quick", "--only", "K7,R5,S1,S4,S5,S6,O2"][..],
        &[
            "run",
            "--quiet",
            "--users",
            "8",
            "--duration",
            "2s",
            "--warm-up",
            "0s",
            "--no-ceiling",
            "--mix",
            "list=1,churn=1,save=2",
        ],
    ] {
        let server = hostile::spawn(Hostile::Taunts);
        let out = tempfile::tempdir().expect("a folder");
        let output = loadgen().args(command).args(["--target", &server.url, "--out"]).arg(out.path()).output();
        let output = output.expect("it runs");
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        let summary = std::fs::read_to_string(out.path().join("summary.md")).expect("a summary");
        for (what, text) in [("printed", &printed), ("summary.md", &summary)] {
            assert!(text.contains("taunt"), "{what}: the taunts do not get this far: {text}");
            assert!(text.contains("\\u{202e}"), "{what}: this one neither: {text}");
            let steers = |letter: &char| *letter != '\n' && !is_plain(*letter);
            assert_eq!(text.chars().find(steers), None, "{what}: {text:?}");
            let begins =
                |line: &str| ["# taunt", "```taunt", "All as expected: |"].iter().any(|start| line.starts_with(start));
            assert_eq!(text.lines().find(|line| begins(line)), None, "{what}: {text}");
        }
        let plain = without_code(&summary);
        for markup in ["![", "](", "<img", "<script", "</", "http://evil", "www.evil", "a@evil"] {
            assert!(!plain.contains(markup), "{markup}: {plain}");
        }
        for line in plain.lines().filter(|line| line.starts_with('|')) {
            let cells = line.matches('|').count();
            assert!([6, 11].contains(&cells), "{line}");
        }
        for page in names(out.path()).iter().filter(|name| name.contains(".html")) {
            let text = std::fs::read_to_string(out.path().join(page)).expect("a page");
            assert!(!["<img", "<script", "</td></pre>"].iter().any(|markup| text.contains(markup)), "{page}");
            assert_eq!(text.chars().find(|letter| *letter != '\n' && !is_plain(*letter)), None, "{page}");
        }
    }
}

/// Whether a letter shows as itself, and changes nothing else.
fn is_plain(letter: char) -> bool {
    let is_format = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !letter.is_control() && !is_format
}

/// Markdown without its code blocks, escaped characters and code spans: what is read as markup, if anything is.
fn without_code(markdown: &str) -> String {
    let outside_blocks: String = markdown.split("```").step_by(2).collect();
    let mut pieces = outside_blocks.split('\\');
    let first = pieces.next().unwrap_or_default().to_owned();
    let unescaped = pieces.fold(first, |text, piece| text + piece.get(1..).unwrap_or_default());
    unescaped.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

#[test]
fn connections_lost_now_and_then_are_nobodys_lie() {
    let server = hostile::spawn(Hostile::Flaky);
    let run = verify_target(&server.url, &server.saves, &["--only", "R4,R5,S1,S2,S3,S4,S5,S6,K1,K7,K8,K9,K10,O1"]);
    let report = run.report.as_ref().expect("a report");
    for claim in &report.targets[0].claims {
        assert_ne!(claim.verdict, Verdict::Refuted, "{}: {}", claim.id, claim.summary);
    }
}
