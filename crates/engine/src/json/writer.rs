//! JSON as it is written.

use alloc::string::String;

use super::{Object, Value};

impl Value {
    pub(super) fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => json.push_str(number),
            Self::String(text) => write_string(text, json),
            Self::Array(items) => {
                let mut separator = "[";
                for item in items {
                    json.push_str(separator);
                    item.write(json);
                    separator = ",";
                }
                json.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Self::Object(Object(members)) => {
                let mut separator = "{";
                for (name, value) in members {
                    json.push_str(separator);
                    write_string(name, json);
                    json.push(':');
                    value.write(json);
                    separator = ",";
                }
                json.push_str(if members.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

/// Spells a whole number.
pub fn decimal(mut number: u64) -> String {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (number % 10) as u8;
        }
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits.iter().skip(at).map(|digit| char::from(*digit)).collect()
}

/// Appends `\u` and four hexadecimal digits.
pub(crate) fn write_escape(unit: u16, json: &mut String) {
    json.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        json.push(char::from(b"0123456789abcdef"[usize::from(unit >> shift & 15)]));
    }
}

fn write_string(text: &str, json: &mut String) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\x1f' => write_escape(character as u16, json),
            _ => json.push(character),
        }
    }
    json.push('"');
}
