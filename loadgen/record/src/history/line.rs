//! One operation as a line, put together by hand: this runs for every operation of a run, on the threads that make the
//! load, so each nanosecond here is one that the generator can be late by.

use contract::Operation;

/// One operation with what came of it; all text is borrowed.
#[derive(Clone, Copy, Debug)]
pub struct HistoryLine<'a> {
    /// The user.
    pub process: u64,
    /// What it asked for.
    pub operation: Operation,
    /// The key that it asked with; `generate-key` and `list` have none.
    pub key: Option<&'a str>,
    /// When it was meant to be sent, µs since the run's start.
    pub meant_us: u64,
    /// When its user was free to send it, where that was later: until then it waited for the answer before. µs since the
    /// run's start.
    pub free_us: Option<u64>,
    /// When it was sent, µs since the run's start.
    pub call_us: u64,
    /// What was sent, as the content's tag.
    pub input: Option<&'a str>,
    /// What came back; none without a whole answer.
    pub answer: Option<Answer<'a>>,
    /// When its user gave up waiting for an answer, µs since the run's start; none if the user did not.
    pub timed_out_us: Option<u64>,
    /// What the answer is worth.
    pub judgement: Judgement<'a>,
    /// Set where the operation belongs to no measurement.
    pub phase: Option<Phase>,
}

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// When the whole of it was there, µs since the run's start.
    pub return_us: u64,
    /// What it said.
    pub output: Output<'a>,
}

/// What an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// A success: the key, the content's tag, `saved` and so on.
    Success(&'a str),
    /// A refusal, or a failure of the server.
    Refusal {
        /// The HTTP status.
        status: u16,
        /// The message that came with it.
        message: &'a str,
    },
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement<'a> {
    /// It is right.
    Verified,
    /// It is wrong; the anomaly's name, such as `stale read`.
    Wrong(&'a str),
    /// A clear failure, or no answer; its name, such as `no answer within 10 s`.
    Error(&'a str),
}

/// Operations around the run itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Phase {
    /// Preparation and clean-up: judged, and not measured.
    #[serde(rename = "set-up")]
    SetUp,
    /// A look at a document's file when the run was over: judged as a restore, and not measured.
    #[serde(rename = "saves folder")]
    SavesFolder,
    /// A list or a restore when the run was over: judged, and not measured.
    #[serde(rename = "aftermath")]
    Aftermath,
}

impl HistoryLine<'_> {
    /// Appends the line, its end included.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        out.extend_from_slice(b"{\"process\":");
        out.extend_from_slice(number.format(self.process).as_bytes());
        out.extend_from_slice(b",\"op\":\"");
        out.extend_from_slice(self.operation.name().as_bytes());
        out.extend_from_slice(b"\",\"key\":");
        text_or_null(self.key, out);
        out.extend_from_slice(b",\"meant_us\":");
        out.extend_from_slice(number.format(self.meant_us).as_bytes());
        if let Some(free_us) = self.free_us {
            out.extend_from_slice(b",\"free_us\":");
            out.extend_from_slice(number.format(free_us).as_bytes());
        }
        out.extend_from_slice(b",\"call_us\":");
        out.extend_from_slice(number.format(self.call_us).as_bytes());
        out.extend_from_slice(b",\"return_us\":");
        match self.answer {
            Some(answer) => out.extend_from_slice(number.format(answer.return_us).as_bytes()),
            None => out.extend_from_slice(b"null"),
        }
        if let Some(timed_out_us) = self.timed_out_us {
            out.extend_from_slice(b",\"timed_out_us\":");
            out.extend_from_slice(number.format(timed_out_us).as_bytes());
        }
        out.extend_from_slice(b",\"input\":");
        text_or_null(self.input, out);
        out.extend_from_slice(b",\"output\":");
        match self.answer.map(|answer| answer.output) {
            None => out.extend_from_slice(b"null"),
            Some(Output::Success(success)) => text(success, out),
            Some(Output::Refusal { status, message }) => {
                out.extend_from_slice(b"{\"status\":");
                out.extend_from_slice(number.format(status).as_bytes());
                out.extend_from_slice(b",\"message\":");
                text(message, out);
                out.push(b'}');
            }
        }
        match self.judgement {
            Judgement::Verified => {}
            Judgement::Wrong(name) => {
                out.extend_from_slice(b",\"wrong\":");
                text(name, out);
            }
            Judgement::Error(name) => {
                out.extend_from_slice(b",\"error\":");
                text(name, out);
            }
        }
        let end: &[u8] = match self.phase {
            Some(Phase::SetUp) => b",\"phase\":\"set-up\"}\n",
            Some(Phase::SavesFolder) => b",\"phase\":\"saves folder\"}\n",
            Some(Phase::Aftermath) => b",\"phase\":\"aftermath\"}\n",
            None => b"}\n",
        };
        out.extend_from_slice(end);
    }
}

fn text_or_null(value: Option<&str>, out: &mut Vec<u8>) {
    match value {
        Some(value) => text(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// A JSON string. What a server sends may hold anything: quotes, line ends and other control characters are escaped, so
/// that a line stays one.
fn text(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = value.as_bytes();
    if bytes.iter().any(|byte| must_be_escaped(*byte)) {
        bytes.iter().for_each(|byte| escaped(*byte, out));
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escaped(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        _ => out.push(byte),
    }
}
