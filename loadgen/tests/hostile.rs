//! Targets that keep no contract, or not for long: a clear error or an honest verdict, never a panic, a hang, or an
//! accusation.

mod support;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use loadgen::claims::Verdict;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use std::net::TcpListener;
use std::sync::Arc;
use support::harness::{Run, verify, verify_target};
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
    is_refused(Hostile::Compressed, "compressed by \"gzip\"");
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

#[test]
fn connections_lost_now_and_then_are_nobodys_lie() {
    let server = hostile::spawn(Hostile::Flaky);
    let run = verify_target(&server.url, &server.saves, &["--only", "R4,R5,S1,S2,S3,S4,S5,S6,K1,K7,K8,K9,K10,O1"]);
    let report = run.report.as_ref().expect("a report");
    for claim in &report.targets[0].claims {
        assert_ne!(claim.verdict, Verdict::Refuted, "{}: {}", claim.id, claim.summary);
    }
}
