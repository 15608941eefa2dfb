//! A reference server in a child process of its own.

use super::{Protocol, temporary_folder};
use anyhow::{Context, bail};
use contract::DEFAULT_PATH_TEMPLATE;
use engine::client::Target;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a server may take to say that it listens, to answer a control line, and to end.
const START: Duration = Duration::from_secs(20);
const CONTROL: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(12);

/// What a server prints when it is ready, before its URL.
const READY: &str = "listening on ";

/// The disk that a server is started on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A real one, as it is.
    Real,
    /// A real one whose calls can be told to fail. The server syncs what it can, so that its syncs can fail too.
    Failing,
    /// One in memory that forgets what was not synced when it is told that the power goes. The server syncs what it
    /// can; what survives is written into its saves folder.
    Forgetting,
}

impl Disk {
    /// The flags that say so. The documented protocol syncs nothing, whatever it is told.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Real => &[],
            Self::Failing => &["--durability", "disk", "--control", "faults"],
            Self::Forgetting => &["--durability", "disk", "--control", "power"],
        }
    }
}

/// Starts servers of one kind.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: Program,
    /// Where their logs go.
    log: PathBuf,
}

/// What is started.
#[derive(Clone, Debug)]
enum Program {
    /// This very program, told to serve.
    Ours {
        protocol: Protocol,
        /// For how long each answer is held back.
        hold_back: Duration,
    },
    /// Another one that takes `--listen` and `--saves` and says where it listens, as the reference server does.
    Other { program: PathBuf, arguments: Vec<String> },
}

impl Launcher {
    /// A launcher of servers that write their logs, one behind the other, to a file.
    #[must_use]
    pub fn new(protocol: Protocol, log: PathBuf) -> Self {
        Self { program: Program::Ours { protocol, hold_back: Duration::ZERO }, log }
    }

    /// The same of servers that hold each answer back for so long.
    #[must_use]
    pub fn holding_back(mut self, time: Duration) -> Self {
        if let Program::Ours { hold_back, .. } = &mut self.program {
            *hold_back = time;
        }
        self
    }

    /// A launcher of another program, with arguments of its own before those that say where it listens and keeps documents.
    #[must_use]
    pub fn of_program(program: PathBuf, arguments: Vec<String>, log: PathBuf) -> Self {
        Self { program: Program::Other { program, arguments }, log }
    }

    /// The same, with a log of its own, for servers that run at the same time.
    #[must_use]
    pub fn apart(&self) -> Self {
        let name = self.log.file_stem().unwrap_or_default().display();
        Self { log: self.log.with_file_name(format!("{name}-apart.log")), ..self.clone() }
    }

    /// The file that its servers log to, and how long it is.
    #[must_use]
    pub fn log(&self) -> (&Path, u64) {
        (&self.log, std::fs::metadata(&self.log).map_or(0, |log| log.len()))
    }

    /// Starts one on a saves folder.
    ///
    /// # Errors
    /// Where it cannot be started, or does not come to listen.
    pub async fn start(&self, saves: &Path, disk: Disk) -> anyhow::Result<Process> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = self.command(disk)?;
        command.args(["--listen", "127.0.0.1:0", "--saves"]).arg(saves);
        let launched = Process::launch(command, log).await;
        launched
            .with_context(|| format!("the server for {} cannot be used; see {}", saves.display(), self.log.display()))
    }

    fn command(&self, disk: Disk) -> anyhow::Result<Command> {
        match &self.program {
            Program::Ours { protocol, hold_back } => {
                let program = std::env::current_exe().context("cannot find this program, to start it as a server")?;
                let mut command = Command::new(program);
                command.args(["serve", "--log", "warn", "--until-stdin-closes", "--protocol", protocol.name()]);
                command.args(disk.flags());
                if !hold_back.is_zero() {
                    command.arg("--hold-back").arg(humantime::format_duration(*hold_back).to_string());
                }
                Ok(command)
            }
            Program::Other { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                Ok(command)
            }
        }
    }
}

/// A server that listens. It is killed when this is dropped, and has ended then.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Control lines go in here; the server ends when it is closed.
    input: Option<ChildStdin>,
    /// What it answers to them.
    output: BufReader<ChildStdout>,
    url: String,
}

impl Process {
    async fn launch(mut command: Command, log: File) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C goes to the whole process group; the server must outlive it, to be cleaned up after.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("it cannot be started")?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("it has no output")?);
        let mut process = Self { child, input, output, url: String::new() };
        let said = process.line(START).await.context("it did not come to listen")?;
        match said.strip_prefix(READY) {
            Some(url) => url.clone_into(&mut process.url),
            None => bail!("it said {said:?} where it should say that it listens"),
        }
        Ok(process)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Where it said something that is no URL.
    pub fn target(&self) -> Result<Target, String> {
        Target::new(&self.url, DEFAULT_PATH_TEMPLATE)
    }

    /// Its process, to send signals to for as long as this is there; `None` where it was seen to have ended.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }

    /// Sends a control line, and answers what it says to that.
    ///
    /// # Errors
    /// Where it says nothing in time, or has ended.
    pub async fn tell(&mut self, line: &str) -> anyhow::Result<String> {
        let doing = || format!("the server was told {line:?}");
        let input = self.input.as_mut().with_context(doing).context("its input is closed")?;
        input.write_all(format!("{line}\n").as_bytes()).await.with_context(doing)?;
        self.line(CONTROL).await.with_context(doing)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// Where it does not end in time.
    pub async fn has_ended(&mut self) -> anyhow::Result<()> {
        self.ended_within(END).await.map(drop).context("the server does not end")
    }

    /// How it ended; `None` if it still runs after this time.
    pub async fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        timeout(patience, self.child.wait()).await.ok()?.ok()
    }

    /// Kills it.
    ///
    /// # Errors
    /// Where that cannot be done.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the server cannot be killed")
    }

    /// Has it finish what it was asked, and end.
    ///
    /// # Errors
    /// Where it cannot be ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        // Ours ends when its standard input does; another is asked to.
        drop(self.input.take());
        if let Some(pid) = self.pid() {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        match self.has_ended().await {
            Ok(()) => Ok(()),
            Err(_) => self.kill().await,
        }
    }

    /// The next line that it prints.
    async fn line(&mut self, patience: Duration) -> anyhow::Result<String> {
        let mut line = String::new();
        let read = timeout(patience, self.output.read_line(&mut line)).await;
        match read.with_context(|| format!("no word from it within {} s", patience.as_secs()))?? {
            0 => bail!("it has ended"),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(pid) = self.pid() else { return };
        // It may have ended by itself.
        let _ = self.child.start_kill();
        // Once it has ended it writes nothing any more: its folder can be removed. It is left to be collected by the
        // runtime, which knows of it.
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }
}

/// A server with a saves folder of its own.
#[derive(Debug)]
pub struct Embedded {
    // In this order, so that the server has ended when its folder is removed.
    process: Process,
    saves: tempfile::TempDir,
}

impl Embedded {
    /// Starts one.
    ///
    /// # Errors
    /// Where it cannot be started, or its folder not be made.
    pub async fn start(launcher: &Launcher) -> anyhow::Result<Self> {
        let saves = temporary_folder()?;
        Ok(Self { process: launcher.start(saves.path(), Disk::Real).await?, saves })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Where it said something that is no URL.
    pub fn target(&self) -> Result<Target, String> {
        self.process.target()
    }

    /// As [`Process::ended_within`].
    pub async fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.process.ended_within(patience).await
    }

    /// Its saves folder.
    #[must_use]
    pub fn saves(&self) -> &Path {
        self.saves.path()
    }

    /// Ends it, and removes its folder.
    ///
    /// # Errors
    /// Where the process cannot be ended or the folder not be removed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.process.stop().await?;
        let path = self.saves.path().to_owned();
        tokio::task::spawn_blocking(move || self.saves.close())
            .await?
            .with_context(|| format!("cannot remove the temporary saves folder {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell in the place of a server.
    async fn shell(script: &str) -> anyhow::Result<Process> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::launch(command, tempfile::tempfile()?).await
    }

    #[tokio::test]
    async fn a_program_that_says_something_else_or_ends_is_no_server() {
        for (script, why) in
            [("echo hello", "it said \"hello\""), ("exit 3", "it did not come to listen: it has ended")]
        {
            let error = shell(script).await.expect_err("it is none");
            assert!(format!("{error:#}").contains(why), "{script}: {error:#}");
        }
        let missing = Process::launch(Command::new("/nowhere/server"), tempfile::tempfile().expect("a file")).await;
        assert!(missing.is_err_and(|error| format!("{error:#}").contains("it cannot be started")));
    }

    #[tokio::test]
    async fn control_lines_are_answered_until_the_server_has_ended() {
        let script = "echo listening on http://127.0.0.1:9; while read line; do echo told $line; test $line = stop && exit; done";
        let mut server = shell(script).await.expect("it says that it listens");
        assert_eq!(server.target().map(|target| target.port()), Ok(9));
        assert_eq!(server.tell("disarm").await.expect("it answers"), "told disarm");
        assert_eq!(server.tell("stop").await.expect("it answers"), "told stop");
        server.has_ended().await.expect("it ends");
        let error = server.tell("disarm").await.expect_err("it is gone");
        assert!(format!("{error:#}").contains("the server was told \"disarm\""), "{error:#}");
    }

    #[tokio::test]
    async fn a_server_has_ended_when_it_is_dropped() {
        let server =
            shell("echo listening on http://127.0.0.1:9; exec sleep 1000").await.expect("it says that it listens");
        let pid = server.pid().expect("it runs").as_raw_nonzero();
        drop(server);
        // Until the runtime has collected it, it is there as a zombie.
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_else(|_| "(sleep) Z".to_owned());
        assert!(state.contains(") Z"), "{state}");
    }
}
