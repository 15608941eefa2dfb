//! Sample exchanges, for the tests of judgements.

use super::Exchange;
use contract::{Answer, Body, Operation};

/// An exchange about one key, for tests of judgements: the contract's success for status 200, a refusal for all others.
#[must_use]
pub fn exchange(operation: Operation, from_us: u64, to_us: u64, status: u16) -> Exchange {
    let data = match operation {
        Operation::GenerateKey => r#"{"sessionKey":"A4K"}"#,
        Operation::Instantiate => r#"{"message":"Instance created"}"#,
        Operation::Restore => "{}",
        Operation::List => "[]",
        _ => r#"{"message":""}"#,
    };
    let refusal = r#"{"success":false,"message":"no","timestamp":1}"#.to_owned();
    let body = if status == 200 { format!(r#"{{"success":true,"timestamp":1,"data":{data}}}"#) } else { refusal };
    let outcome = Ok(Answer { status, attempts: None, body: Body::parse(body.as_bytes()) });
    Exchange { user: 0, operation, key: "A4K".to_owned(), note: String::new(), from_us, to_us, outcome }
}
