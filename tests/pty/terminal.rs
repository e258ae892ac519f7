//! A program in a terminal of its own, watched through a terminal emulator.

use std::{
    io::{Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Long enough for a loaded machine; nothing waits this long when all is well.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a condition is looked at that makes no output.
const LOOK: Duration = Duration::from_millis(20);

struct Watched {
    hung_up: AtomicBool,
    parser: Mutex<vt100::Parser>,
    /// Everything written so far, as it came.
    raw: Mutex<Vec<u8>>,
    changed: Condvar,
}

pub struct Terminal {
    watched: Arc<Watched>,
    child: Box<dyn Child + Send + Sync>,
    keys: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
}

impl Terminal {
    pub fn start(program: &Path, args: &[&str], env: &[(&str, &str)], cols: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env_remove("LC_ALL");
        command.env_remove("NO_COLOR");
        for inherited in ["COLORTERM", "COLORFGBG", "TMUX", "TERM_PROGRAM", "LC_TERMINAL", "KONSOLE_VERSION"]
        {
            command.env_remove(inherited);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let watched = Arc::new(Watched {
            hung_up: AtomicBool::new(false),
            parser: Mutex::new(vt100::Parser::new(rows, cols, 200)),
            raw: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = Arc::clone(&watched);
        std::thread::spawn(move || {
            let mut bytes = [0u8; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                seen.raw.lock().extend_from_slice(&bytes[..count]);
                seen.parser.lock().process(&bytes[..count]);
                seen.changed.notify_all();
                if seen.hung_up.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { watched, child, keys: Some(keys), master: Some(pair.master) }
    }

    pub fn text(&self) -> String {
        self.watched.parser.lock().screen().contents()
    }

    /// Whether these bytes were ever written.
    pub fn has_written(&self, bytes: &[u8]) -> bool {
        self.watched.raw.lock().windows(bytes.len()).any(|part| part == bytes)
    }

    /// Everything written so far, as text.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.watched.raw.lock()).into_owned()
    }

    pub fn on_alternate_screen(&self) -> bool {
        self.watched.parser.lock().screen().alternate_screen()
    }

    pub fn cursor_is_hidden(&self) -> bool {
        self.watched.parser.lock().screen().hide_cursor()
    }

    /// Whether anything on the screen is drawn in reverse.
    pub fn has_reversed_text(&self) -> bool {
        let parser = self.watched.parser.lock();
        let screen = parser.screen();
        let (rows, cols) = screen.size();
        (0..rows).any(|row| (0..cols).any(|col| screen.cell(row, col).is_some_and(vt100::Cell::inverse)))
    }

    /// Waits until `condition` holds, looking after every output.
    pub fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            if condition(self) {
                return;
            }
            assert!(Instant::now() < end, "waited in vain for: {what}\n{}", self.text());
            let mut parser = self.watched.parser.lock();
            self.watched.changed.wait_for(&mut parser, LOOK);
        }
    }

    pub fn wait_for_text(&self, text: &str) {
        self.wait(text, |terminal| terminal.text().contains(text));
    }

    pub fn keys(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        self.watched.parser.lock().screen_mut().set_size(rows, cols);
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Tells the program a size, whatever the emulator has.
    pub fn resize_to(&self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Closes the terminal, as when the SSH connection is lost: the kernel sends SIGHUP, and every read and
    /// write fails from then on.
    pub fn hang_up(&mut self) {
        // The reading thread lets go of its end with the next output; the clock on the screen makes some.
        self.watched.hung_up.store(true, Ordering::SeqCst);
        self.keys = None;
        self.master = None;
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// What `stty` says of the terminal, or does to it.
    pub fn stty(&self, arguments: &[&str]) -> String {
        let device = self.master.as_ref().unwrap().tty_name().unwrap();
        let output =
            std::process::Command::new("stty").arg("-F").arg(device).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn pid(&self) -> rustix::process::Pid {
        let number = self.child.process_id().unwrap();
        rustix::process::Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
    }

    /// Whether the process stands still, as after Ctrl-Z.
    pub fn is_stopped(&self) -> bool {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id().unwrap())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    }

    /// Waits for the end; the exit code, or 1 when a signal killed the process.
    pub fn exit_code(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(signal) = status.signal() {
                    eprintln!("the program was killed: {signal}");
                }
                return status.exit_code();
            }
            assert!(Instant::now() < end, "does not end\n{}", self.text());
            let mut parser = self.watched.parser.lock();
            self.watched.changed.wait_for(&mut parser, LOOK);
        }
    }

    pub fn assert_given_back(&self) {
        self.wait("the main screen", |terminal| !terminal.on_alternate_screen());
        self.wait("the cursor", |terminal| !terminal.cursor_is_hidden());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed half-way must not leave its program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
