//! What ends the functions' processes when this process is killed and cannot do it itself.
//!
//! A shell that is told of every process group, and kills those that are left when nobody can tell it any
//! more.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::process::Pid;

/// In a group of its own and deaf to what a terminal sends, it outlives this process, by no more than a
/// moment. It has no other file of this process's open.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"#;

static SUPERVISOR: LazyLock<Mutex<io::Result<ChildStdin>>> = LazyLock::new(|| Mutex::new(start()));

fn start() -> io::Result<ChildStdin> {
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    Ok(shell.stdin.take().expect("it is piped"))
}

/// A process group that is to end with this process. Drop it only when the group has been killed: its id may
/// then be another's.
#[derive(Debug)]
pub(crate) struct Supervised(Pid);

impl Supervised {
    /// # Errors
    /// There is no `sh`, or it has ended.
    pub(crate) fn new(group: Pid) -> io::Result<Self> {
        tell('+', group)?;
        Ok(Self(group))
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = tell('-', self.0);
    }
}

fn tell(sign: char, group: Pid) -> io::Result<()> {
    let mut supervisor = SUPERVISOR.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *supervisor {
        Ok(pipe) => writeln!(pipe, "{sign} {group}"),
        Err(error) => Err(io::Error::new(error.kind(), format!("sh: {error}"))),
    }
}
