//! Keeps credentials out of answers, and so out of errors and events: a server may echo what it was sent.

use upload_session_engine::json::Value;

/// What is put in a secret's place.
const REDACTED: &str = "[redacted]";
/// Secrets shorter than this are not looked for: they would match by chance.
const SHORTEST: usize = 8;

/// Takes the secrets out of a text, also where it is JSON that spells them with escapes.
pub(crate) fn redact(text: String, secrets: &[&str]) -> String {
    let secrets: Vec<_> = secrets.iter().copied().filter(|secret| secret.len() >= SHORTEST).collect();
    if text.contains('\\')
        && let Some(mut json) = Value::parse(&text)
    {
        if redact_json(&mut json, &secrets) {
            return json.to_json();
        }
        return text;
    }
    redact_text(&text, &secrets).unwrap_or(text)
}

/// Returns the text without its secrets; none where it has none.
fn redact_text(text: &str, secrets: &[&str]) -> Option<String> {
    let mut redacted = None;
    for secret in secrets {
        let text = redacted.as_deref().unwrap_or(text);
        if text.contains(secret) {
            redacted = Some(text.replace(secret, REDACTED));
        }
    }
    redacted
}

/// Redacts every string and key within; returns whether there was anything to redact.
fn redact_json(json: &mut Value, secrets: &[&str]) -> bool {
    match json {
        Value::String(text) => redact_text(text, secrets).map(|redacted| *text = redacted).is_some(),
        Value::Array(items) => items.iter_mut().fold(false, |found, item| redact_json(item, secrets) | found),
        Value::Object(fields) => {
            let mut found = false;
            for (key, mut value) in std::mem::take(fields) {
                let redacted = redact_text(&key, secrets);
                found |= redacted.is_some() | redact_json(&mut value, secrets);
                fields.insert(redacted.unwrap_or(key), value);
            }
            found
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_however_json_spells_them() {
        let secrets = ["top/secret", "second-secret"];
        for (text, redacted) in [
            ("Bearer top/secret!", "Bearer [redacted]!"),
            (r#"{"a":"x top\/secret y"}"#, r#"{"a":"x [redacted] y"}"#),
            (r#"{"top\u002fsecret":[1,{"b":"second-secret\n"}]}"#, r#"{"[redacted]":[1,{"b":"[redacted]\n"}]}"#),
            (r#"{"a":"\n"}"#, r#"{"a":"\n"}"#),
            ("a \\ that is no JSON: top/secret", "a \\ that is no JSON: [redacted]"),
        ] {
            assert_eq!(redact(text.to_owned(), &secrets), redacted);
        }
    }

    #[test]
    fn secrets_too_short_to_tell_are_left() {
        assert_eq!(redact("a key is a key".to_owned(), &["key", ""]), "a key is a key");
    }
}
