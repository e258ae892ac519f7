//! A camera that speaks HTTP, in one file: MJPEG, HLS and several ways to misbehave. Bound to 127.0.0.1.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use opencv::{
    core::{CV_8UC3, Mat, Scalar, Vector},
    imgcodecs,
};

/// Makes the bytes of a path, where there are any.
pub type Make = Arc<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// What the server does with a request.
#[allow(dead_code, reason = "each test binary uses its part")]
#[derive(Clone)]
pub enum Answer {
    /// MJPEG: this many pictures of this size (width, height), then the end of the connection.
    Mjpeg(usize, (i32, i32)),
    /// MJPEG, 25 pictures a second, of the first size until this many were sent to anybody, then of the second.
    Resized(Arc<AtomicUsize>, usize, [(i32, i32); 2]),
    /// MJPEG for a while, then silence on the open connection.
    MjpegThenSilence(usize),
    /// A status line such as `404 Not Found`, and nothing else.
    Status(&'static str),
    /// 401 until the pair `user:password` is given in the basic way, then MJPEG.
    Locked(&'static str),
    /// A page of text.
    Page,
    /// The files of a folder by their names.
    Files(PathBuf),
    /// What is made for the path that is asked for.
    Made(Make),
    /// The connection is accepted and nothing is ever said.
    Frozen,
    /// Bytes that belong to no protocol.
    Noise,
    /// MJPEG whose pictures say that they have 16000x16000 pixels.
    Huge,
    /// MJPEG with one part that does not end.
    EndlessPart,
    /// To the first request the first of these, and so on; to all others the last. The number is that of the requests.
    InTurn(Arc<AtomicUsize>, Vec<Answer>),
}

/// Starts a server that gives `answer` to everybody, and returns its port. It ends with the test's process.
pub fn serve(answer: Answer) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // The other side may hang up at any moment; that is its right.
            thread::spawn(move || respond(stream, &answer).ok());
        }
    });
    port
}

fn respond(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    if let Answer::InTurn(requests, answers) = answer {
        let number = requests.fetch_add(1, Ordering::SeqCst);
        return respond(stream, &answers[number.min(answers.len() - 1)]);
    }
    if matches!(answer, Answer::Frozen) {
        hold(stream);
        return Ok(());
    }
    if matches!(answer, Answer::Noise) {
        return stream.write_all(&[0x16, 0x03, 0x01, 0x00, 0xFF, 0x0A, 0x0D, 0x0A, 0x0D, 0x0A]);
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        request.push(line.trim_end().to_owned());
    }
    match answer {
        Answer::Frozen | Answer::Noise | Answer::InTurn(..) => Ok(()),
        Answer::Mjpeg(frames, size) => mjpeg(&mut stream, *frames, *size),
        Answer::Huge => {
            mjpeg(&mut stream, 0, (0, 0))?;
            let mut jpeg = jpeg(0, (96, 64)).as_slice().to_vec();
            // The start of the frame (ITU-T T.81, B.2.2): its length, 8 bits a sample, height, width.
            let start = jpeg.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
            for at in [start + 5, start + 7] {
                jpeg[at..at + 2].copy_from_slice(&16_000_u16.to_be_bytes());
            }
            loop {
                part(&mut stream, &jpeg)?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(40));
            }
        }
        Answer::EndlessPart => {
            mjpeg(&mut stream, 0, (0, 0))?;
            write!(stream, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 2000000000\r\n\r\n")?;
            stream.write_all(&[0xFF, 0xD8])?;
            loop {
                stream.write_all(&vec![b'a'; 1 << 16])?;
            }
        }
        Answer::Resized(sent, change, sizes) => {
            // Before the loop: the test's process may end while this thread is in it, and OpenCV with it.
            let jpegs = sizes.map(|size| (0..16).map(|index| jpeg(index, size)).collect::<Vec<_>>());
            mjpeg(&mut stream, 0, sizes[0])?;
            loop {
                let index = sent.fetch_add(1, Ordering::SeqCst);
                let jpegs = &jpegs[usize::from(index >= *change)];
                part(&mut stream, jpegs[index % jpegs.len()].as_slice())?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(40));
            }
        }
        Answer::MjpegThenSilence(frames) => {
            mjpeg(&mut stream, *frames, (64, 48))?;
            hold(stream);
            Ok(())
        }
        Answer::Status(status) => write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"),
        Answer::Locked(pair) => {
            let expected = format!("authorization: basic {}", base64(pair));
            if request.iter().any(|line| line.eq_ignore_ascii_case(&expected)) {
                mjpeg(&mut stream, 30, (64, 48))
            } else {
                write!(
                    stream,
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"cam\"\r\nContent-Length: 0\r\n\r\n"
                )
            }
        }
        Answer::Page => {
            let page = "<html><body>Please sign in.</body></html>";
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            )
        }
        Answer::Files(folder) => {
            send(&mut stream, std::fs::read(folder.join(path(&request).trim_start_matches('/'))).ok())
        }
        Answer::Made(make) => send(&mut stream, make(path(&request))),
    }
}

fn path(request: &[String]) -> &str {
    request.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/")
}

fn send(stream: &mut TcpStream, bytes: Option<Vec<u8>>) -> std::io::Result<()> {
    let Some(bytes) = bytes else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let length = bytes.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&bytes)
}

/// Keeps the connection open and silent, longer than any test runs.
fn hold(stream: TcpStream) {
    thread::sleep(Duration::from_mins(5));
    drop(stream);
}

fn mjpeg(stream: &mut TcpStream, frames: usize, size: (i32, i32)) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    pictures(stream, frames, size)
}

fn pictures(stream: &mut TcpStream, frames: usize, size: (i32, i32)) -> std::io::Result<()> {
    for index in 0..frames {
        picture(stream, index, size)?;
    }
    stream.flush()
}

fn picture(stream: &mut TcpStream, index: usize, size: (i32, i32)) -> std::io::Result<()> {
    part(stream, jpeg(index, size).as_slice())
}

fn part(stream: &mut TcpStream, jpeg: &[u8]) -> std::io::Result<()> {
    write!(stream, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
    stream.write_all(jpeg)?;
    write!(stream, "\r\n")
}

fn jpeg(index: usize, (width, height): (i32, i32)) -> Vector<u8> {
    let gray = Scalar::all((index * 16 % 256) as f64);
    let picture = Mat::new_rows_cols_with_default(height, width, CV_8UC3, gray).unwrap();
    let mut jpeg = Vector::<u8>::new();
    imgcodecs::imencode_def(".jpg", &picture, &mut jpeg).unwrap();
    jpeg
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
