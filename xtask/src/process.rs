//! Runs children, each the leader of a process group of its own, so that ending it ends
//! everything it started, and none outlives this program.

use std::io::{BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a child may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(2);
/// How long output may still come once a child has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// Groups that are alive; whoever ends a group takes it out.
static GROUPS: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// Whether a signal is ending this program: from then on nothing is reported any more.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Ends all children, then this program, on Ctrl-C, SIGTERM and SIGHUP.
///
/// # Errors
///
/// Where the handler cannot be installed.
pub(crate) fn end_children_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        STOPPING.store(true, Ordering::SeqCst);
        let groups = lock(&GROUPS).clone();
        groups.iter().for_each(|&group| signal_group(group, Signal::SIGTERM));
        let until = Instant::now() + GRACE;
        while Instant::now() < until && groups.iter().any(|&group| is_alive(group)) {
            thread::sleep(Duration::from_millis(10));
        }
        groups.iter().for_each(|&group| signal_group(group, Signal::SIGKILL));
        process::exit(130);
    })
    .context("cannot handle Ctrl-C")
}

/// A running child and its group; both end when this is dropped.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts a program without input, in a group of its own.
    ///
    /// # Errors
    ///
    /// Where the program cannot be started.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut groups = lock(&GROUPS);
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", describe(command)))?;
        groups.extend(group_id(&child));
        Ok(Self { child })
    }

    /// Waits until the program has ended by itself.
    ///
    /// # Errors
    ///
    /// Where the system refuses to tell.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        while STOPPING.load(Ordering::SeqCst) {
            // That the child ended is no failure then, and the handler is about to exit.
            thread::park();
        }
        Ok(status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(group) = group_id(&self.child) else {
            return;
        };
        signal_group(group, Signal::SIGTERM);
        let until = Instant::now() + GRACE;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        signal_group(group, Signal::SIGKILL);
        let _ = self.child.wait();
        lock(&GROUPS).retain(|&other| other != group);
    }
}

/// What a program said, and how it ended.
pub(crate) struct Output {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Both of its outputs, in the order they came.
    pub(crate) text: String,
}

/// Runs a program to its end and passes its output on.
///
/// # Errors
///
/// Where it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Group::spawn(command)?.wait()?;
    if !status.success() {
        bail!("{} failed: {status}", describe(command));
    }
    Ok(())
}

/// Runs a program to its end, passes its output on and keeps it.
///
/// # Errors
///
/// Where it cannot be started. A program that fails is no error: see [`Output::status`].
pub(crate) fn run_and_keep(command: &mut Command) -> Result<Output> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut group = Group::spawn(command)?;
    // The command holds the pipe's ends for writing; while it does, reading never ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (text, passing) = pass_on(reader);
    let status = group.wait()?;
    // What the program left running holds the pipe, too.
    drop(group);
    let until = Instant::now() + DRAIN;
    while !passing.is_finished() && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    let text = lock(&text).clone();
    Ok(Output { status, text })
}

/// Runs a program to its end in silence and returns what it printed; none where it fails.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Writes a command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn pass_on(reader: PipeReader) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&text);
    let passing = thread::spawn(move || {
        let mut lines = BufReader::new(reader);
        let mut line = Vec::new();
        while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(&line).and_then(|()| out.flush());
            lock(&kept).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    (text, passing)
}

fn signal_group(group: i32, signal: Signal) {
    // A group that is gone is what is wanted.
    let _ = killpg(Pid::from_raw(group), signal);
}

fn is_alive(group: i32) -> bool {
    killpg(Pid::from_raw(group), None).is_ok()
}

fn group_id(child: &Child) -> Option<i32> {
    i32::try_from(child.id()).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn keeps_both_outputs_in_order_and_the_status() {
        let output = run_and_keep(&mut shell("echo a; echo b >&2; echo c; exit 3")).unwrap();
        assert_eq!(output.text, "a\nb\nc\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = run(&mut shell("exit 1")).unwrap_err().to_string();
        assert!(error.starts_with("sh -c exit 1 failed"), "{error}");
    }

    #[test]
    fn a_missing_program_is_an_error_that_names_it() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert_eq!(error, "cannot start no-such-program");
    }

    #[test]
    fn dropping_ends_the_program_and_what_it_started() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("sleep 1000 & echo started; wait");
        command.stdout(writer);
        let group = Group::spawn(&mut command).unwrap();
        drop(command);
        let mut lines = BufReader::new(reader).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "started");
        drop(group);
        // The end of the pipe is seen once nobody holds its other end: `sleep` is gone, too.
        assert!(lines.next().is_none());
    }

    #[test]
    fn what_a_program_leaves_running_does_not_hold_up_its_output() {
        let output = run_and_keep(&mut shell("sleep 1000 & echo done")).unwrap();
        assert_eq!(output.text, "done\n");
    }

    #[test]
    fn capture_is_none_for_failures() {
        assert_eq!(capture(&mut shell("echo ' x '")).as_deref(), Some("x"));
        assert_eq!(capture(&mut shell("echo x; exit 1")), None);
        assert_eq!(capture(&mut Command::new("no-such-program")), None);
    }
}
