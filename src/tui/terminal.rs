//! The one owner of the terminal: enters and leaves the alternate screen, undoes a partial entry, keeps
//! native output off the screen, gives everything back after a panic.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write, stdout},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use parking_lot::Mutex;
use ratatui::{
    Terminal,
    layout::{Rect, Size},
};

use super::paint::Frugal;
use crate::native::crash;

/// Bytes gathered before a write: a whole frame with a picture fits, so a frame is one write.
const WRITE_BUFFER: usize = 64 * 1024;

/// Whether the terminal is in our state.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The real file descriptor 2 while it points at a log file.
static STDERR: Mutex<Option<OwnedFd>> = Mutex::new(None);

/// What frames are drawn on.
pub type Backend = Frugal<BufWriter<File>>;

/// The terminal while the screens are up. Dropping it gives the terminal back.
pub struct Guard {
    // Dropped first: ratatui complains on standard error when the terminal has gone, and panics when that has
    // gone too. While `_taken` stands, standard error is the log.
    terminal: Terminal<Backend>,
    native_log: Option<File>,
    mouse: bool,
    _taken: Taken,
}

/// Gives the terminal back when it is dropped.
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        restore();
    }
}

impl Guard {
    /// Takes the terminal. `native_log` receives what native libraries write to file descriptor 2.
    ///
    /// # Errors
    /// When the log cannot be opened or the terminal refuses; the terminal is then as it was.
    pub fn enter(native_log: Option<&Path>) -> io::Result<Self> {
        let native_log = native_log.map(open_log).transpose()?;
        let out = File::from(stdout().as_fd().try_clone_to_owned()?);
        let mut backend = Frugal::new(BufWriter::with_capacity(WRITE_BUFFER, out));
        if let Err(said) = backend.measure()? {
            return Err(io::Error::other(impossible(said)));
        }
        crash::install();
        take(native_log.as_ref())?;
        let taken = Taken;
        Ok(Self { terminal: Terminal::new(backend)?, native_log, mouse: false, _taken: taken })
    }

    /// What to draw on.
    pub fn terminal(&mut self) -> &mut Terminal<Backend> {
        &mut self.terminal
    }

    /// Paints everything again with the next frame. (`Terminal::clear` would ask the terminal where its
    /// cursor is and race the input thread for the answer.)
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn repaint(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Follows a new size. A size that cannot be is not followed; gives the sentence to say then.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resized(&mut self) -> io::Result<Option<String>> {
        Ok(self.terminal.backend_mut().measure()?.err().map(impossible))
    }

    /// Turns mouse reports on or off.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let out = self.terminal.backend_mut();
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    /// Writes an escape sequence that draws nothing (the clipboard's).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn send(&mut self, command: impl crossterm::Command) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), command)
    }

    /// Stops the whole process as Ctrl-Z does in a shell; returns when it is continued.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.retake()
    }

    /// Sets every mode of the terminal again and paints everything: the process was stopped and continued, and the
    /// shell has had the terminal meanwhile. Blocks while the process is in the background.
    ///
    /// # Errors
    /// When the terminal cannot be taken again.
    pub fn retake(&mut self) -> io::Result<()> {
        // Raw mode is set only where it is not known to be set.
        disable_raw_mode()?;
        take(self.native_log.as_ref())?;
        self.terminal.backend_mut().forget_cursor();
        if self.mouse {
            self.set_mouse(true)?;
        }
        self.repaint()
    }
}

fn impossible(said: Size) -> String {
    format!(
        "the terminal says that it has {} columns and {} rows, which cannot be; 'stty cols 120 rows 40' sets its size",
        said.width, said.height
    )
}

/// Opens what is there and makes nothing: it is the name of a pipe of this process.
fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

fn take(native_log: Option<&File>) -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    crash::arm(true);
    // In this order: what a native library says between the two would be on the screen for good.
    let entered = native_log.map_or(Ok(()), redirect_stderr).and_then(|()| {
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, crossterm::cursor::Hide)
    });
    if entered.is_err() {
        restore();
    }
    entered
}

fn redirect_stderr(log: &File) -> io::Result<()> {
    let mut saved = STDERR.lock();
    if saved.is_none() {
        *saved = Some(io::stderr().as_fd().try_clone_to_owned()?);
    }
    Ok(rustix::stdio::dup2_stderr(log)?)
}

/// Gives the terminal back, as far as it was taken. Safe to call at any time and more than once.
///
/// Every step is tried even when one before it fails: half a restored terminal is better than none, and
/// there is nobody left to tell.
pub fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        let mut out = stdout();
        let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = out.flush();
        let _ = disable_raw_mode();
        crash::arm(false);
    }
    if let Some(mut saved) = STDERR.try_lock()
        && let Some(stderr) = saved.take()
    {
        let _ = rustix::stdio::dup2_stderr(&stderr);
    }
}

/// From now on a panic of the calling thread gives the terminal back before it is reported; a panic of any
/// other thread is left to its owner and goes to the log, and the screens stay up.
pub fn install_panic_hook() {
    let ui = std::thread::current().id();
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == ui {
            restore();
            report(info);
            return;
        }
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), "{info}");
        // With descriptor 2 on a file, the usual report cannot disturb the screens.
        if !ENTERED.load(Ordering::SeqCst) || STDERR.try_lock().is_some_and(|saved| saved.is_some()) {
            report(info);
        }
    }));
}
