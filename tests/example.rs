//! The example of the library does what it says, and `docs/library.md` shows it as it is.

#[path = "../examples/count.rs"]
#[expect(dead_code, reason = "the example's main function reads arguments")]
mod count;

#[test]
fn the_example_counts() {
    let (total_in, total_out) = count::count("demo:street?seconds=30").unwrap();
    assert!(total_in > 0 && total_out > 0, "{total_in} in, {total_out} out");
}

#[test]
fn the_example_says_what_is_wrong_with_a_video() {
    let error = count::count("/there/is/none.mp4").unwrap_err().to_string();
    assert!(!error.is_empty());
}

#[test]
fn the_manual_shows_the_example() {
    let manual = include_str!("../docs/library.md");
    let example = include_str!("../examples/count.rs");
    assert!(
        manual.contains(&format!("```rust\n{example}```\n")),
        "copy examples/count.rs into docs/library.md"
    );
}
