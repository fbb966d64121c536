//! JSON (RFC 8259) as values. Numbers stay as they are spelled: reading and printing floating point numbers alone would
//! take more of the wasm than all of this, and no answer's number has to be rounded on its way to the page.

mod reader;
#[cfg(feature = "serde")]
mod serde_impls;
mod writer;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::{self, Vec};
use core::fmt;

use self::reader::Reader;
pub use self::writer::decimal;
pub(crate) use self::writer::write_escape;

/// How deep values may be nested: reading and dropping them takes stack.
const MAX_DEPTH: u32 = 128;

/// Any JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is spelled.
    Number(String),
    /// A string, without escapes.
    String(String),
    /// Values in order.
    Array(Vec<Value>),
    /// Values by name.
    Object(Object),
}

/// The members of a JSON object, in their order. All that it was read with are kept; of several with one name the last counts,
/// as to `JSON.parse`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// Returns the object with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the object with one more member, where there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Returns how many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes out the value of that name that counts, the last.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().rposition(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl Value {
    /// Reads a JSON text; none where it is none, or nested more than 128 deep.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(MAX_DEPTH)?;
        reader.skip_space();
        (reader.at == text.len()).then_some(value)
    }

    /// Returns the member of that name, where this is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// Returns the members, where this is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// Returns the items, where this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    /// Returns the text, where this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Returns what it is, where this is `true` or `false`.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Returns the number, where this is a whole one from 0 to 2^53 - 1, however it is spelled (`8388608.0`, `1e3`).
    pub fn as_whole(&self) -> Option<u64> {
        let Self::Number(text) = self else { return None };
        let (mut number, mut scale, mut exponent) = (0_u64, 0_i32, None);
        let (mut is_fraction, mut is_negative) = (false, false);
        // Zeros that end a fraction count for nothing, however many there are.
        let mut zeros = 0;
        for byte in text.bytes() {
            match (byte, &mut exponent) {
                (b'e' | b'E', _) => exponent = Some(0),
                (b'.', _) => is_fraction = true,
                (b'-', Some(_)) => is_negative = true,
                (b'+', _) => {}
                (digit, Some(exponent)) => {
                    *exponent = i32::checked_mul(*exponent, 10)?.checked_add(i32::from(digit) - i32::from(b'0'))?;
                }
                (b'0', None) if is_fraction => zeros += 1,
                (digit, None) => {
                    for _ in 0..=zeros {
                        number = number.checked_mul(10)?;
                        scale -= i32::from(is_fraction);
                    }
                    zeros = 0;
                    // A sign before the number is below every digit.
                    number = number.checked_add(digit.checked_sub(b'0')?.into())?;
                }
            }
        }
        let exponent = exponent.unwrap_or_default();
        scale = scale.checked_add(if is_negative { -exponent } else { exponent })?;
        while scale != 0 && number != 0 {
            if scale > 0 {
                number = number.checked_mul(10)?;
                scale -= 1;
            } else if number.is_multiple_of(10) {
                number /= 10;
                scale += 1;
            } else {
                return None;
            }
        }
        (number < 1 << 53).then_some(number)
    }

    /// Writes the value as JSON.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(decimal(number))
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    /// Any JSON value, as the kept library makes it.
    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<f64>().prop_map(serde_json::Value::from),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::hash_map(".*", inner, 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_serde_json_writes_is_read_and_what_is_written_it_reads(value in value(), pretty: bool) {
            let json = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let read = Value::parse(&json).unwrap();
            // What it makes of a number is not always what it wrote.
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::Value::from(&read), value);
        }

        #[test]
        fn texts_that_are_nearly_json_are_judged_as_serde_json_does(
            text in r#"[\[\]{}:,"0-9eE.+\-tfn a\\u/]{0,12}|\[("[^"]{0,3}"|-?[0-9]{0,2}(\.[0-9]{0,2})?(e[0-9])?|true|null),?\]"#
        ) {
            let known = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(Value::parse(&text).is_some(), known, "{}", text);
        }

        #[test]
        fn whole_numbers_are_read_however_they_are_spelled(number in 0u64..1 << 53, zeros in 0usize..4) {
            let spelled = decimal(number);
            prop_assert_eq!(&spelled, &number.to_string());
            for text in [spelled.clone(), spelled.clone() + "." + &"0".repeat(zeros + 1), spelled + "e0"] {
                prop_assert_eq!(Value::Number(text).as_whole(), Some(number));
            }
        }
    }

    #[test]
    fn numbers_that_are_not_whole_or_too_large_are_none() {
        for (text, whole) in [
            ("0", Some(0)),
            ("-0", None),
            ("-1", None),
            ("1.5", None),
            ("1.5e1", Some(15)),
            ("150e-1", Some(15)),
            ("15e-1", None),
            ("0e999999999", Some(0)),
            ("1e999999999", None),
            ("1e99999999999999999999", None),
            ("9007199254740991", Some((1 << 53) - 1)),
            ("9007199254740992", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(Value::parse(text).unwrap().as_whole(), whole, "{text}");
        }
    }

    #[test]
    fn escapes_and_surrogates_are_read() {
        let read = Value::parse(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#).unwrap();
        assert_eq!(read.as_str(), Some("\"\\/\x08\x0c\n\r\té😀"));
        for wrong in
            [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\ud83d\n""#, r#""\u12""#, r#""\x""#, "\"\n\"", "\"é"]
        {
            assert_eq!(Value::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn last_of_several_members_with_one_name_counts() {
        let read = Value::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(read.get("a").unwrap().as_whole(), Some(3));
        assert_eq!(read.as_object().unwrap().clone().remove("a").unwrap().as_whole(), Some(3));
        assert_eq!(read.to_json(), r#"{"a":1,"b":2,"a":3}"#);
    }

    #[test]
    fn what_is_nested_too_deep_is_none() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Value::parse(&nested(128)).is_some());
        assert!(Value::parse(&nested(129)).is_none());
        assert!(Value::parse(&"[".repeat(1_000_000)).is_none());
    }
}
