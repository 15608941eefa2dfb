//! The page on which a run can be watched: `--live 127.0.0.1:8100`.
//!
//! - [`Live`]: the page's server, from before the run to after its end. [`Teller`]: what the run tells it.
//! - [`figures`]: a second as an event. [`ending`]: the last one. Pure.
//! - `history`: the events until now. `answer`: what is answered to whom. Both pure.
//! - `serve`: connections.
//! - `page.html`, `page.css`, `page.js`, `tables.js`, `charts.js`: the page, which asks for the events and draws them.
//!
//! Architecture invariant: the generator pays for it once a second, whoever watches. The figures of a second are made once,
//! by whoever gathers the seconds; all else is done on a thread of its own, which no user runs on.

mod answer;
pub mod ending;
pub mod figures;
mod history;
mod serve;

use crate::print::stderr;
use anyhow::Context;
use ending::Ending;
use engine::Second;
use engine::scenario::Plan;
use figures::{Figures, TrialUnderWay};
use history::{History, Kind};
use record::figures::OperationReport;
use record::run::Trial;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::LocalRuntime;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The thread's name, by which its cost is found.
const THREAD: &str = "live";

/// A run's page; where none is asked for, nothing happens.
#[derive(Debug)]
pub struct Live {
    teller: Teller,
    server: Option<Server>,
}

/// The thread that serves; it ends when this is dropped.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    ended: DropGuard,
    gone: CancellationToken,
}

impl Live {
    /// Serves the page of a run at an address, where one is given; `what` says in a sentence what runs.
    ///
    /// # Errors
    /// Where the address cannot be listened on: the message says why, and what to do.
    pub fn start(address: Option<SocketAddr>, what: String) -> anyhow::Result<Self> {
        let Some(address) = address else {
            return Ok(Self { teller: Teller(None), server: None });
        };
        let listener = listen(address).with_context(|| {
            format!("cannot serve the live page at {address}: give --live another address, or port 0 for any free one")
        })?;
        let figures = Figures::new(what);
        let mut history = History::new(rand::random());
        history.push(Kind::Figures, &figures.standing());
        let (events, readable) = watch::channel(history);
        let server = Server::start(listener, readable).context("cannot start the thread of the live page")?;
        let telling = Telling { figures: Mutex::new(figures), events };
        Ok(Self { teller: Teller(Some(Arc::new(telling))), server: Some(server) })
    }

    /// Where the page is; with port 0 nobody else knows.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.address)
    }

    /// What the run tells the page with.
    #[must_use]
    pub fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// Tells how the run ended, and waits until whoever watches has heard it, but no longer than a second.
    pub async fn end(self, ending: impl FnOnce() -> Ending) {
        let (Teller(Some(telling)), Some(server)) = (self.teller, self.server) else {
            return;
        };
        telling.tell(Kind::Ended, |figures| figures.end(&ending()));
        drop(server.ended);
        server.gone.cancelled().await;
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    fn start(listener: TcpListener, events: watch::Receiver<History>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (ended, gone) = (CancellationToken::new(), CancellationToken::new());
        let (told, leaves) = (ended.clone(), gone.clone().drop_guard());
        std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // However it ends, nobody waits for it in vain.
            let _leaves = leaves;
            if let Err(error) = serve_here(listener, events, told) {
                stderr!("loadgen: the live page is not served any more: {error}; the run goes on without it");
            }
        })?;
        Ok(Self { address, ended: ended.drop_guard(), gone })
    }
}

/// Serves on this thread.
fn serve_here(listener: TcpListener, events: watch::Receiver<History>, ended: CancellationToken) -> io::Result<()> {
    let runtime: LocalRuntime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(<_>::default())?;
    runtime.block_on(serve::serve(listener, events, ended))
}

/// Tells a page how its run goes; nobody where there is none.
#[derive(Clone, Debug)]
pub struct Teller(Option<Arc<Telling>>);

/// What tellers share.
#[derive(Debug)]
struct Telling {
    figures: Mutex<Figures>,
    events: watch::Sender<History>,
}

impl Teller {
    /// A load is about to begin; those of a search are trials.
    pub fn begins(&self, plan: &Plan, trial: Option<TrialUnderWay>) {
        let Some(telling) = &self.0 else { return };
        telling.figures().begin(plan, trial);
        telling.events.send_modify(History::begin_anew);
        telling.tell(Kind::Figures, |figures| figures.standing());
    }

    /// A second has passed, of which `reports` are the operations' figures.
    pub fn second(&self, second: &Second, reports: &[(&'static str, OperationReport)]) {
        let Some(telling) = &self.0 else { return };
        telling.tell(Kind::Figures, |figures| figures.second(second, reports));
    }

    /// What came of a trial.
    pub fn tried(&self, trial: &Trial) {
        let Some(telling) = &self.0 else { return };
        telling.figures().note_trial(trial);
    }

    /// The load is over, and its history is judged.
    pub fn judges(&self) {
        let Some(telling) = &self.0 else { return };
        telling.tell(Kind::Figures, |figures| {
            figures.judge();
            figures.standing()
        });
    }
}

impl Telling {
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever reads gets it when its connection can take it: nothing here waits for them.
    fn tell(&self, kind: Kind, event: impl FnOnce(&mut Figures) -> String) {
        let json = event(&mut self.figures());
        self.events.send_modify(|history| history.push(kind, &json));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use std::net::Ipv4Addr;
    use std::path::Path;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpSocket, TcpStream};

    /// A reader that has been given a place, and has read nothing more.
    async fn reader(address: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a size");
        let mut stream = socket.connect(address).await.expect("it listens");
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it takes requests");
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.expect("an answer");
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
        stream
    }

    /// Each event is so large that the system takes a few of them for a reader that does not read.
    #[tokio::test]
    async fn a_reader_that_does_not_read_holds_up_neither_the_run_nor_its_end_nor_others() {
        let live = Live::start(Some((Ipv4Addr::LOCALHOST, 0).into()), "x".repeat(1 << 20)).expect("a free port");
        let address = live.address().expect("an address");
        let stalled = reader(address).await;
        let teller = live.teller();
        (0..100).for_each(|_| teller.judges());
        let mut other = reader(address).await;
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            other.read_to_end(&mut all).await.map(|_| all)
        });
        live.end(|| Ending::of(&Err(anyhow!("no")), Path::new("x"))).await;
        assert!(TcpStream::connect(address).await.is_err(), "all is over when the end was told");
        let all = reading.await.expect("no panic").expect("read");
        assert!(String::from_utf8_lossy(&all).contains("\nevent: ended\n"), "{} bytes", all.len());
        drop(stalled);
    }

    #[tokio::test]
    async fn without_an_address_there_is_no_page_and_nothing_to_wait_for() {
        let live = Live::start(None, "What runs".to_owned()).expect("nothing to fail");
        assert_eq!(live.address(), None);
        live.teller().judges();
        live.end(|| unreachable!("nobody is told")).await;
    }
}
