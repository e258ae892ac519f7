//! Constants that are declared once and known twice: to the compiler as the fields of a structure, to the user by a name
//! with a unit, a range and a meaning.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// What a user is told of one constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// By which it is set; no two structures share one.
    pub name: &'static str,
    /// Such as `s` or `body heights`.
    pub unit: &'static str,
    /// The value in use.
    pub default: String,
    /// The values that make sense, such as `0..60`.
    pub range: String,
    /// What it decides.
    pub meaning: &'static str,
}

/// A structure made by `constants!`.
pub trait Constants {
    /// All constants in the order of their declaration.
    fn list() -> Vec<Constant>
    where
        Self: Sized;

    /// Sets the constant `name` to the number in `text`; `None` when it has none of this name.
    ///
    /// # Errors
    /// What to write instead, when `text` is no number of the constant's kind or out of its range.
    fn set(&mut self, name: &str, text: &str) -> Option<Result<(), String>>;
}

/// A kind of number that a constant may be.
pub trait Number: Copy + PartialOrd + Display + FromStr {
    /// What it is called in messages.
    const WORD: &'static str;
}

impl Number for f32 {
    const WORD: &'static str = "number";
}

impl Number for f64 {
    const WORD: &'static str = "number";
}

impl Number for i32 {
    const WORD: &'static str = "whole number";
}

impl Number for u32 {
    const WORD: &'static str = "whole number";
}

impl Number for usize {
    const WORD: &'static str = "whole number";
}

/// The number in `text`, where it lies in `range`.
///
/// # Errors
/// What to write instead.
pub fn parse<T: Number>(text: &str, range: &RangeInclusive<T>, unit: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|value| range.contains(value))
        .ok_or_else(|| format!("give a {} from {} to {} ({unit})", T::WORD, range.start(), range.end()))
}

/// Declares a structure of constants, each with its meaning, kind, default, range and unit.
macro_rules! constants {
    (
        $(#[$attribute:meta])*
        pub struct $structure:ident {
            $(
                $(#[doc = $meaning:literal])+
                $name:ident: $kind:ty = $default:expr, $range:expr, $unit:literal;
            )+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $structure {
            $(
                $(#[doc = $meaning])+
                #[doc = concat!("\n\nUnit: ", $unit, ".")]
                pub $name: $kind,
            )+
        }

        impl $structure {
            /// The values in use.
            pub const DEFAULT: Self = Self { $($name: $default),+ };
        }

        impl Default for $structure {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        impl $crate::constants::Constants for $structure {
            fn list() -> Vec<$crate::constants::Constant> {
                vec![$({
                    let range: std::ops::RangeInclusive<$kind> = $range;
                    $crate::constants::Constant {
                        name: stringify!($name),
                        unit: $unit,
                        default: Self::DEFAULT.$name.to_string(),
                        range: format!("{}..{}", range.start(), range.end()),
                        meaning: concat!($($meaning),+).trim(),
                    }
                }),+]
            }

            fn set(&mut self, name: &str, text: &str) -> Option<Result<(), String>> {
                $(
                    if name == stringify!($name) {
                        let value = $crate::constants::parse::<$kind>(text, &$range, $unit);
                        return Some(value.map(|value| self.$name = value));
                    }
                )+
                None
            }
        }
    };
}

pub(crate) use constants;
