//! HTTP/1.1 over a bare socket: a client library would not send the malformed, the oversized and the unfinished.

use super::PATIENCE;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// An answer as it came.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub(crate) fn text(&self) -> &str {
        &self.body
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The message of an error envelope.
    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The data of a success envelope, byte for byte.
    pub(crate) fn data_text(&self) -> &str {
        let data = self.body.split_once(r#","data":"#).and_then(|(_, data)| data.strip_suffix('}'));
        data.unwrap_or_else(|| panic!("no data in {self:?}"))
    }

    /// The key that generate-key handed out.
    pub(crate) fn key(&self) -> String {
        let key = self.json()["data"]["sessionKey"].as_str().map(str::to_owned);
        key.unwrap_or_else(|| panic!("no key in {self:?}"))
    }
}

/// A connection to a server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    /// Whether the request under way is a HEAD, whose answer has no body whatever its length says.
    asked_for_head: bool,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), asked_for_head: false })
    }

    /// Sends bytes. A server that has answered already may refuse the rest, which is no failure: the answer counts.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends a request's head, with nothing added but the host.
    pub(crate) fn send_head(&mut self, method: &str, target: &str, headers: &[(&str, &str)]) {
        self.asked_for_head = method == "HEAD";
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: test\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        self.send_bytes((head + "\r\n").as_bytes());
    }

    /// Sends a whole request.
    pub(crate) fn send(&mut self, method: &str, target: &str, body: &str) {
        let length = body.len().to_string();
        let headers = [("content-length", length.as_str())];
        self.send_head(method, target, if body.is_empty() { &[] } else { &headers });
        self.send_bytes(body.as_bytes());
    }

    /// Sends the head of a POST, and waits until the server asks for the body: it has then accepted the request.
    pub(crate) fn begin_post(&mut self, target: &str, body: &str) {
        let length = body.len().to_string();
        self.send_head("POST", target, &[("content-length", &length), ("expect", "100-continue")]);
        assert_eq!(self.receive().status, 100);
    }

    /// Reads one answer.
    pub(crate) fn receive(&mut self) -> Answer {
        self.try_receive().expect("an answer")
    }

    /// Reads one answer; an error where the connection ends before it is whole.
    pub(crate) fn try_receive(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let mut answer = Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, ..Answer::default() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; if self.asked_for_head { 0 } else { length }];
        self.stream.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(answer)
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish_sending(&self) {
        // The server may have gone first.
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }

    /// Waits for the server to close the connection, which is not to be by a reset; answers what it sent until then.
    pub(crate) fn until_closed(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("the connection is closed in order");
        rest
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}
