//! Rows out of the pages of a damaged SQLite file, page by page, whatever the others hold. The form is that of
//! <https://www.sqlite.org/fileformat2.html>.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

use crate::ledger::names::beside;

/// Rows longer than this are not ours.
const LONGEST: usize = 1 << 16;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob,
}

/// Where a row was found: in a table by row number, or in an index, as tables without row numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLocation {
    Table(i64),
    Index,
}

/// The pages of a file and of the log beside it.
pub struct Pages {
    file: File,
    log: Option<File>,
    size: usize,
    /// Bytes of a page that rows may use.
    usable: usize,
    /// How many there are.
    pub count: u32,
    /// Where the log has a newer page than the file.
    newer: HashMap<u32, u64>,
    /// Pages in the log that it has not committed, or whose commit is damaged: only rows that nothing contradicts are
    /// taken from them.
    pub uncertain: Vec<u64>,
    /// Whether the log holds commits that cannot be read any more: more than the one that a loss of power interrupts.
    pub is_log_damaged: bool,
    /// Pages that hold nothing any more.
    free: HashSet<u32>,
}

impl Pages {
    /// The pages of the file at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let log = File::open(beside(path, "-wal")).ok();
        let mut head = [0; 100];
        let has_head = file.read_exact_at(&mut head, 0).is_ok() && head.starts_with(b"SQLite format 3\0");
        let mut log_head = [0; 32];
        let has_log = log.as_ref().is_some_and(|log| log.read_exact_at(&mut log_head, 0).is_ok());
        let of_file = if has_head { usize::from(u16::from_be_bytes([head[16], head[17]])) } else { 0 };
        let of_log = if has_log { word(&log_head, 8) as usize } else { 0 };
        let is_size = |size: usize| size.is_power_of_two() && (512..=65536).contains(&size);
        let size =
            [if of_file == 1 { 65536 } else { of_file }, of_log].into_iter().find(|size| is_size(*size));
        let size = size.unwrap_or(4096);
        let reserved = if has_head { usize::from(head[20]) } else { 0 };
        let count = u32::try_from(file.metadata()?.len() / size as u64).unwrap_or(u32::MAX);
        let mut pages = Self {
            file,
            log,
            size,
            usable: size - reserved.min(size / 2),
            count,
            newer: HashMap::new(),
            uncertain: Vec::new(),
            is_log_damaged: false,
            free: HashSet::new(),
        };
        if has_log {
            pages.read_log(&log_head);
        }
        if let Some(head) = pages.read(1).filter(|head| has_head && head.starts_with(b"SQLite format 3\0")) {
            pages.walk_free(word(&head, 32));
        }
        Ok(pages)
    }

    /// Finds the committed pages of the log.
    fn read_log(&mut self, head: &[u8; 32]) {
        let Some(log) = &self.log else { return };
        let big = word(head, 0) & 1 == 1;
        let mut sum = checksum((0, 0), &head[..24], big);
        let mut is_whole = word(head, 0) & !1 == 0x377F_0682 && sum == (word(head, 24), word(head, 28));
        let has_head = is_whole;
        let mut lost = 0;
        let mut pending: Vec<(u32, u64)> = Vec::new();
        let mut frame = vec![0; 24 + self.size];
        let mut at = 32;
        while log.read_exact_at(&mut frame, at).is_ok() {
            let data = at + 24;
            sum = checksum(checksum(sum, &frame[..8], big), &frame[24..], big);
            is_whole &= frame[8..16] == head[16..24] && sum == (word(&frame, 16), word(&frame, 20));
            if is_whole {
                pending.push((word(&frame, 0), data));
                if word(&frame, 4) > 0 {
                    self.count = self.count.max(word(&frame, 4));
                    self.newer.extend(pending.drain(..));
                }
            } else {
                // Pages of an earlier round, which others have taken the place of, carry another salt.
                lost += usize::from(!has_head || (frame[8..16] == head[16..24] && word(&frame, 4) > 0));
                self.uncertain.push(data);
            }
            at += frame.len() as u64;
        }
        self.uncertain.extend(pending.into_iter().map(|(_, data)| data));
        self.is_log_damaged = lost > usize::from(has_head);
    }

    /// Notes the pages that are free, from this one on.
    fn walk_free(&mut self, mut trunk: u32) {
        while trunk > 0 && self.free.insert(trunk) {
            let Some(page) = self.read(trunk) else { return };
            let leaves = (word(&page, 4) as usize).min(self.size / 4 - 2);
            self.free.extend((0..leaves).map(|leaf| word(&page, 8 + 4 * leaf)));
            trunk = word(&page, 0);
        }
    }

    fn read(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; self.size];
        let read = match (self.newer.get(&number), &self.log) {
            (Some(at), Some(log)) => log.read_exact_at(&mut page, *at),
            _ => self.file.read_exact_at(&mut page, u64::from(number.checked_sub(1)?) * self.size as u64),
        };
        read.ok().map(|()| page)
    }

    /// Gives each row of page `number`, from 1, to `take`.
    pub fn rows(&self, number: u32, take: &mut dyn FnMut(RowLocation, Vec<Value>)) {
        if !self.free.contains(&number)
            && let Some(page) = self.read(number)
        {
            self.rows_of(&page, if number == 1 { 100 } else { 0 }, take);
        }
    }

    /// Gives each row of one of the [`Self::uncertain`] pages to `take`.
    pub fn uncertain_rows(&self, at: u64, take: &mut dyn FnMut(RowLocation, Vec<Value>)) {
        let mut page = vec![0; self.size];
        if self.log.as_ref().is_some_and(|log| log.read_exact_at(&mut page, at).is_ok()) {
            self.rows_of(&page, 0, take);
        }
    }

    fn rows_of(&self, page: &[u8], head: usize, take: &mut dyn FnMut(RowLocation, Vec<Value>)) {
        let (is_table, pointers) = match page.get(head) {
            Some(0x0D) => (true, head + 8),
            Some(0x0A) => (false, head + 8),
            Some(0x02) => (false, head + 12),
            _ => return,
        };
        let cells = usize::from(half(page, head + 3)).min(self.usable / 2);
        for cell in 0..cells {
            let at = usize::from(half(page, pointers + 2 * cell));
            let at = if page[head] == 0x02 { at + 4 } else { at };
            if let Some((place, record)) = self.cell(page, at, is_table)
                && let Some(values) = values(&record)
            {
                take(place, values);
            }
        }
    }

    /// The record of a cell at `at`, put together where it goes on in other pages.
    fn cell(&self, page: &[u8], at: usize, is_table: bool) -> Option<(RowLocation, Vec<u8>)> {
        let mut rest = page.get(at..self.usable)?;
        let length = usize::try_from(varint(&mut rest)?).ok().filter(|length| *length <= LONGEST)?;
        let place = if is_table { RowLocation::Table(varint(&mut rest)?) } else { RowLocation::Index };
        let usable = self.usable;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        let local = if length <= most {
            length
        } else {
            let with_rest = least + (length - least) % (usable - 4);
            if with_rest <= most { with_rest } else { least }
        };
        let mut record = rest.get(..local)?.to_vec();
        let mut next = if local < length { word(rest.get(local..local + 4)?, 0) } else { 0 };
        while record.len() < length {
            let page = self.read(Some(next).filter(|next| *next > 0)?)?;
            let part = (length - record.len()).min(usable - 4);
            record.extend_from_slice(page.get(4..4 + part)?);
            next = word(&page, 0);
        }
        Some((place, record))
    }
}

/// The values of a record; `None` where it is none.
fn values(record: &[u8]) -> Option<Vec<Value>> {
    let mut types = record;
    let head = usize::try_from(varint(&mut types)?).ok()?;
    let mut types = record.get(record.len() - types.len()..head)?;
    let mut rest = record.get(head..)?;
    let mut values = Vec::new();
    while !types.is_empty() {
        let serial = varint(&mut types)?;
        let mut take = |length: usize| {
            let (value, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(value)
        };
        values.push(match serial {
            0 => Value::Null,
            1..=6 => {
                let bytes = take([1, 2, 3, 4, 6, 8][serial as usize - 1])?;
                let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
                Value::Int(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
            }
            7 => Value::Real(f64::from_be_bytes(take(8)?.try_into().ok()?)),
            8 | 9 => Value::Int(serial - 8),
            12.. if serial % 2 == 0 => {
                take(usize::try_from((serial - 12) / 2).ok()?)?;
                Value::Blob
            }
            13.. => {
                let text = take(usize::try_from((serial - 13) / 2).ok()?)?;
                Value::Text(String::from_utf8(text.to_vec()).ok()?)
            }
            _ => return None,
        });
    }
    Some(values)
}

/// A number of one to nine bytes.
fn varint(rest: &mut &[u8]) -> Option<i64> {
    let mut value: u64 = 0;
    for index in 0..9 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        if index == 8 {
            return Some((value << 8 | u64::from(*byte)).cast_signed());
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value.cast_signed())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|half| half.try_into().ok()).map_or(0, u16::from_be_bytes)
}

/// The log's checksum, gone on with.
fn checksum((mut first, mut second): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| if big { word(pair, at) } else { word(pair, at).swap_bytes() };
        first = first.wrapping_add(word(0)).wrapping_add(second);
        second = second.wrapping_add(word(4)).wrapping_add(first);
    }
    (first, second)
}

/// Whether the log beside the file at `path` holds commits that cannot be read any more.
pub fn has_damaged_log(path: &Path) -> bool {
    Pages::open(path).is_ok_and(|pages| pages.is_log_damaged)
}
