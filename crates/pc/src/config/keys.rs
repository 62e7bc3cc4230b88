//! The escapes of `send_keys`.

/// Reads keys: `\\ \n \r \t \b \f \v \a \e \0 \xHH`, everything else being itself.
///
/// # Errors
/// What is wrong with an escape.
pub(crate) fn send_keys(text: &str) -> Result<Vec<u8>, String> {
    let mut keys = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            keys.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        keys.push(match chars.next() {
            Some('\\') => b'\\',
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('b') => 8,
            Some('f') => 12,
            Some('v') => 11,
            Some('a') => 7,
            Some('e') => 27,
            Some('0') => 0,
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) if digits.len() == 2 => byte,
                    _ => {
                        return Err(format!(
                            "`\\x{digits}` is no byte: write `\\x` and two digits"
                        ));
                    }
                }
            }
            Some(other) => return Err(format!("`\\{other}` is no key")),
            None => return Err("a `\\` at the end is no key".to_owned()),
        });
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(send_keys("q\\x03\\e\\\\é"), Ok(b"q\x03\x1b\\\xc3\xa9".to_vec()));
        for text in ["\\", "\\q", "\\x1", "\\xzz"] {
            assert!(send_keys(text).is_err(), "{text}");
        }
    }
}
