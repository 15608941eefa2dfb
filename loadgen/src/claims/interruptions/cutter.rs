//! What stands between a user and the target: it passes on what it is sent, and cuts when it is told to.

use crate::lab::{Stuck, lock};
use engine::client::Target;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes passed on at once.
const PIECE_BYTES: usize = 4 << 10;

/// Where a connection is cut: so many bytes of what is sent from now on are passed on, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Of the request.
    Request(usize),
    /// Of the answer.
    Answer(usize),
}

#[derive(Debug, Default)]
struct Orders {
    armed: Option<Cut>,
    was_cut: bool,
}

impl Orders {
    /// How many of some bytes may pass; the rest is cut off.
    fn pass(&mut self, bytes: usize, is_request: bool) -> usize {
        let ((Some(Cut::Request(left)), true) | (Some(Cut::Answer(left)), false)) = (&mut self.armed, is_request)
        else {
            return bytes;
        };
        if bytes <= *left {
            *left -= bytes;
            return bytes;
        }
        let passed = *left;
        self.armed = None;
        self.was_cut = true;
        passed
    }
}

/// A proxy between one user and the target that cuts connections on command; it ends when it is dropped.
pub(super) struct Cutter {
    address: SocketAddr,
    orders: Arc<Mutex<Orders>>,
    serving: JoinHandle<()>,
}

impl Cutter {
    /// One that passes on to a target.
    ///
    /// # Errors
    /// Where no port can be had.
    pub(super) async fn start(target: &Target) -> Result<Self, Stuck> {
        let stuck = |error: io::Error| Stuck(format!("nothing can be put between user and target: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(stuck)?;
        let address = listener.local_addr().map_err(stuck)?;
        let orders: Arc<Mutex<Orders>> = Arc::default();
        let serving = tokio::spawn(serve(listener, target.host().to_owned(), target.port(), Arc::clone(&orders)));
        Ok(Self { address, orders, serving })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has the next request, or its answer, cut.
    pub(super) fn arm(&self, cut: Cut) {
        *lock(&self.orders) = Orders { armed: Some(cut), was_cut: false };
    }

    /// Cuts nothing from now on; answers whether something was cut.
    pub(super) fn disarm(&self) -> bool {
        std::mem::take(&mut *lock(&self.orders)).was_cut
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One connection after the other: a user makes the next when the one before was cut.
async fn serve(listener: TcpListener, host: String, port: u16, orders: Arc<Mutex<Orders>>) {
    while let Ok((user, _)) = listener.accept().await {
        // Closed without a word where the target cannot be reached, as the user would see it.
        let Ok(target) = TcpStream::connect((host.as_str(), port)).await else { continue };
        let _ = (user.set_nodelay(true), target.set_nodelay(true));
        let (from_user, to_user) = user.into_split();
        let (from_target, to_target) = target.into_split();
        // Whichever way ends first, both connections end with it.
        tokio::select! {
            _ = pass_on(from_user, to_target, &orders, true) => {}
            _ = pass_on(from_target, to_user, &orders, false) => {}
        }
    }
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    orders: &Mutex<Orders>,
    is_request: bool,
) -> io::Result<()> {
    let mut piece = [0; PIECE_BYTES];
    loop {
        let bytes = from.read(&mut piece).await?;
        let passed = lock(orders).pass(bytes, is_request);
        to.write_all(&piece[..passed]).await?;
        if bytes == 0 || passed < bytes {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::DEFAULT_PATH_TEMPLATE;

    #[test]
    fn what_is_passed_is_counted_in_one_direction_over_all_pieces() {
        let mut orders = Orders { armed: Some(Cut::Request(150)), was_cut: false };
        assert_eq!((orders.pass(100, true), orders.pass(9_000, false)), (100, 9_000));
        assert_eq!((orders.pass(50, true), orders.was_cut), (50, false), "to the byte");
        assert_eq!((orders.pass(1, true), orders.was_cut), (0, true));
        assert_eq!(orders.pass(500, true), 500, "one cut is one cut");
    }

    #[tokio::test]
    async fn a_target_gets_what_comes_before_the_cut_and_no_more() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let cutter = Cutter::start(&Target::new(&url, DEFAULT_PATH_TEMPLATE).expect("a URL")).await.expect("starts");
        let received = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("comes");
            let mut received = Vec::new();
            // However the connection ends.
            let _ = stream.read_to_end(&mut received).await;
            received
        });
        cutter.arm(Cut::Request(10));
        let mut user = TcpStream::connect(cutter.address()).await.expect("connects");
        user.write_all(b"0123456789abcdef").await.expect("sends");
        assert_eq!(received.await.expect("ends"), b"0123456789");
        assert!(cutter.disarm() && !cutter.disarm());
    }
}
