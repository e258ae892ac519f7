//! How a page writes numbers.

use maud::{Markup, html};

/// A count that programs find, too.
pub fn count(number: u64) -> Markup {
    html! { data value=(number) { (grouped(number)) } }
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
