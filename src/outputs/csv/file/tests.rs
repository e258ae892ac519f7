use super::*;
use crate::files::text_cell;

const HEADER: [&str; 2] = ["camera_id", "n"];

fn rows(file: &mut CsvFile, range: std::ops::Range<usize>) {
    for n in range {
        file.row(&["cam".to_owned(), n.to_string()]);
    }
    file.flush().expect("flush");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("read")
}

fn asides(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "x.csv"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn goes_on_where_it_was_and_mends_half_a_row() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.csv");
    rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 0..2);
    fs::write(&path, format!("{}cam,", read(&path))).expect("write");
    rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 2..3);
    assert_eq!(read(&path), "camera_id,n\ncam,0\ncam,1\ncam,2\n");
}

#[test]
fn a_file_with_another_header_is_set_aside() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.csv");
    fs::write(&path, "somebody,elses\n1,2\n").expect("write");
    rows(&mut CsvFile::open(path.clone(), &HEADER).expect("open"), 0..1);
    assert_eq!(read(&path), "camera_id,n\ncam,0\n");
    let asides = asides(dir.path());
    assert_eq!(asides.len(), 1);
    assert_eq!(read(&asides[0]), "somebody,elses\n1,2\n");
}

#[test]
fn grows_in_parts_and_keeps_the_latest() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.csv");
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open").with_parts(30, 2);
    for n in 0..20 {
        rows(&mut file, n..n + 1);
    }
    assert!(read(&path).starts_with("camera_id,n\n") && read(&path).ends_with("cam,19\n"));
    assert_eq!(asides(dir.path()).len(), 2);
}

#[test]
fn rows_wait_while_the_disk_refuses_and_are_written_once() {
    let dir = tempfile::tempdir().expect("folder");
    let folder = dir.path().join("results");
    fs::create_dir(&folder).expect("folder");
    let path = folder.join("x.csv");
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
    rows(&mut file, 0..1);
    // A file where the folder should be refuses even root.
    fs::rename(&folder, dir.path().join("away")).expect("rename");
    fs::write(&folder, "").expect("write");
    file.row(&["cam".to_owned(), "1".to_owned()]);
    assert!(file.flush().is_err());
    fs::remove_file(&folder).expect("remove");
    fs::rename(dir.path().join("away"), &folder).expect("rename");
    rows(&mut file, 2..3);
    assert_eq!(read(&path), "camera_id,n\ncam,0\ncam,1\ncam,2\n");
}

#[test]
fn a_folder_that_was_deleted_comes_back() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("a/b/x.csv");
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
    rows(&mut file, 0..1);
    fs::remove_dir_all(dir.path().join("a")).expect("remove");
    rows(&mut file, 1..2);
    assert_eq!(read(&path), "camera_id,n\ncam,1\n");
}

/// What logrotate and people do to a file that is open.
#[test]
fn no_row_is_lost_whatever_happens_to_the_file() {
    let dir = tempfile::tempdir().expect("folder");
    let (path, old) = (dir.path().join("x.csv"), dir.path().join("x.csv.1"));
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
    let both = |file: &mut CsvFile| {
        rows(file, 1..2);
        assert_eq!(read(&path), "camera_id,n\ncam,1\n");
    };
    rows(&mut file, 0..1);

    // Moved, and an empty file created in its place.
    fs::rename(&path, &old).expect("rename");
    fs::write(&path, "").expect("write");
    both(&mut file);
    assert_eq!(read(&old), "camera_id,n\ncam,0\n");

    // Moved, and nothing created.
    fs::rename(&path, &old).expect("rename");
    both(&mut file);

    // Copied and emptied.
    fs::copy(&path, &old).expect("copy");
    File::options().write(true).open(&path).expect("open").set_len(0).expect("emptied");
    both(&mut file);

    // Deleted.
    fs::remove_file(&path).expect("remove");
    both(&mut file);

    // Restored from a copy that holds another row and half of one.
    fs::write(dir.path().join("copy"), "camera_id,n\ncam,7\ncam,").expect("write");
    fs::rename(dir.path().join("copy"), &path).expect("rename");
    rows(&mut file, 1..2);
    assert_eq!(read(&path), "camera_id,n\ncam,7\ncam,1\n");
}

#[test]
fn rows_that_somebody_else_appends_stay() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.csv");
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
    let mut other = CsvFile::open(path.clone(), &HEADER).expect("open");
    for n in 0..3 {
        rows(&mut file, n..n + 1);
        rows(&mut other, n + 10..n + 11);
    }
    assert_eq!(read(&path), "camera_id,n\ncam,0\ncam,10\ncam,1\ncam,11\ncam,2\ncam,12\n");
}

#[test]
fn a_link_or_a_pipe_takes_no_rows_and_is_named() {
    let dir = tempfile::tempdir().expect("folder");
    let (path, victim) = (dir.path().join("x.csv"), dir.path().join("victim"));
    fs::write(&victim, "untouched\n").expect("write");
    let mut file = CsvFile::open(path.clone(), &HEADER).expect("open");
    for plant in [
        |path: &Path| std::os::unix::fs::symlink(path.with_file_name("victim"), path).expect("link"),
        |path: &Path| std::os::unix::fs::symlink("nowhere", path).expect("link"),
        |path: &Path| {
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).expect("pipe");
        },
    ] {
        fs::remove_file(&path).expect("remove");
        plant(&path);
        file.row(&["cam".to_owned(), "1".to_owned()]);
        assert!(file.flush().expect_err("refused").to_string().starts_with("'x.csv': "));
        assert!(CsvFile::open(path.clone(), &HEADER).is_err());
    }
    assert_eq!(read(&victim), "untouched\n");
    assert!(!dir.path().join("nowhere").exists());
    fs::remove_file(&path).expect("remove");
    file.flush().expect("flush");
    assert_eq!(read(&path), "camera_id,n\ncam,1\ncam,1\ncam,1\n");
}

#[test]
fn only_parts_that_were_set_aside_here_are_removed() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("x.csv");
    let ours = ["x.20200101-000000.csv", "x.20200101-000000-001.csv", "x.20210101-000000.csv"];
    for name in ours {
        fs::write(dir.path().join(name), "camera_id,n\ncam,1\n").expect("write");
    }
    let users = [
        "x.2023-01.csv",
        "x.20230101.csv",
        "x.20230101-1.csv",
        "x.20231301-000000.csv",
        "x.20230101-000000.csv.bak",
        "x.20230101-000000-1.csv",
        "x.20230101-000000-0001.csv",
        "x.-.csv",
        "y.20230101-000000.csv",
    ];
    for name in users {
        fs::write(dir.path().join(name), "camera_id,n\ncam,1\n").expect("write");
    }
    // Of the same form, but with other columns: set aside because they were somebody else's.
    let others = ["x.20200102-000000.csv", "x.20200103-000000.csv", "x.20200104-000000.csv"];
    for name in others {
        fs::write(dir.path().join(name), "month,visitors\n1,2\n").expect("write");
    }
    let mut file = CsvFile::open(path, &HEADER).expect("open").with_parts(30, 2);
    for n in 0..8 {
        rows(&mut file, n..n + 1);
    }
    for name in users.iter().chain(&others) {
        assert!(dir.path().join(name).exists(), "{name}");
    }
    for name in ours {
        assert!(!dir.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_part_made_by_a_wrong_clock_is_not_removed_at_once() {
    let dir = tempfile::tempdir().expect("folder");
    let future = ["x.20990101-000000.csv", "x.20990101-000001.csv"];
    for name in future {
        fs::write(dir.path().join(name), "camera_id,n\ncam,1\n").expect("write");
    }
    let mut file = CsvFile::open(dir.path().join("x.csv"), &HEADER).expect("open").with_parts(30, 2);
    rows(&mut file, 0..2);
    rows(&mut file, 2..4);
    let held: Vec<_> = asides(dir.path()).iter().map(|part| read(part)).collect();
    assert!(held.contains(&"camera_id,n\ncam,0\ncam,1\n".to_owned()), "{held:?}");
    assert_eq!(held.len(), 2);
}

#[test]
fn too_many_waiting_rows_are_counted() {
    let dir = tempfile::tempdir().expect("folder");
    let mut file = CsvFile::open(dir.path().join("x.csv"), &HEADER).expect("open");
    let big = "x".repeat(1 << 20);
    for _ in 0..10 {
        file.row(&[big.clone(), String::new()]);
    }
    assert_eq!(file.take_lost(), 3);
    assert_eq!(file.take_lost(), 0);
}

#[test]
fn text_is_no_formula_and_odd_text_survives_a_reader() {
    assert_eq!(text_cell("=1+1"), "'=1+1");
    assert_eq!(text_cell("Eingang"), "Eingang");
    let cells = ["a,b", "say \"hi\"", "two\nlines", ""];
    let encoded = encode(&cells);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(encoded.as_slice());
    let record = reader.records().next().expect("a record").expect("readable");
    assert_eq!(record.iter().collect::<Vec<_>>(), cells);
}
