//! Nix's own base 32: the text form of hashes in store paths, narinfo files and old Nix files.
//!
//! The alphabet leaves out `e`, `o`, `u` and `t`, and the digits run from the last five bits to the
//! first: the text is the bytes read as one little-endian number. Described in Nix's manual under
//! "Nix32 encoding". This decoder refuses what Nix's refuses: other letters, upper case too, and set
//! bits beyond the last byte.

use thiserror::Error;

const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Why a text is not nix32.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Nix32Error {
    /// A character outside the alphabet.
    #[error("`{character}` at offset {offset} is no nix32 digit (0-9 and a-z without e, o, t, u)")]
    Digit {
        /// The character.
        character: char,
        /// Its offset in bytes.
        offset: usize,
    },
    /// A length that no whole number of bytes has.
    #[error("no whole number of bytes has {0} nix32 digits")]
    Length(usize),
    /// The first digit holds bits that no byte takes.
    #[error("the first digit sets bits beyond the last byte")]
    TrailingBits,
}

/// Gives the number of digits for `bytes` bytes.
///
/// ```
/// assert_eq!(nixdata::nix32::encoded_len(32), 52);
/// ```
pub const fn encoded_len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Writes bytes as nix32.
///
/// ```
/// assert_eq!(nixdata::nix32::encode(&[0x1f]), "0z");
/// ```
pub fn encode(bytes: &[u8]) -> String {
    (0..encoded_len(bytes.len()))
        .rev()
        .map(|digit| {
            let (byte, shift) = (digit * 5 / 8, digit * 5 % 8);
            let low = u16::from(bytes[byte]);
            let high = bytes.get(byte + 1).copied().map_or(0, u16::from);
            let value = ((low | (high << 8)) >> shift) & 0x1f;
            char::from(ALPHABET[usize::from(value)])
        })
        .collect()
}

/// Reads nix32.
///
/// ```
/// assert_eq!(nixdata::nix32::decode("0z").unwrap(), [0x1f]);
/// assert!(nixdata::nix32::decode("zz").is_err()); // bits beyond the byte
/// ```
///
/// # Errors
/// When a character is no digit, the length is impossible, or bits are left over.
pub fn decode(text: &str) -> Result<Vec<u8>, Nix32Error> {
    let digits = text.len();
    let length = digits * 5 / 8;
    if encoded_len(length) != digits {
        // Said of the digits only when each is one: a wrong letter is the likelier mistake.
        first_bad_digit(text)?;
        return Err(Nix32Error::Length(digits));
    }
    let mut bytes = vec![0_u8; length];
    for (offset, character) in text.bytes().enumerate() {
        let Some(value) = digit_value(character) else {
            first_bad_digit(text)?;
            return Err(Nix32Error::Length(digits));
        };
        let bit = (digits - 1 - offset) * 5;
        let (byte, shift) = (bit / 8, bit % 8);
        let wide = u16::from(value) << shift;
        let [low, high] = wide.to_le_bytes();
        bytes[byte] |= low;
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= high,
            None if high != 0 => return Err(Nix32Error::TrailingBits),
            None => {}
        }
    }
    Ok(bytes)
}

/// Says whether a byte is one of the 32 digits.
pub(crate) fn is_digit(byte: u8) -> bool {
    digit_value(byte).is_some()
}

fn digit_value(byte: u8) -> Option<u8> {
    let index = ALPHABET.iter().position(|digit| *digit == byte)?;
    u8::try_from(index).ok()
}

fn first_bad_digit(text: &str) -> Result<(), Nix32Error> {
    match text.char_indices().find(|(_, c)| !u8::try_from(*c).is_ok_and(is_digit)) {
        Some((offset, character)) => Err(Nix32Error::Digit { character, offset }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wrong_texts_say_why() {
        assert_eq!(decode("0e"), Err(Nix32Error::Digit { character: 'e', offset: 1 }));
        assert_eq!(decode("é"), Err(Nix32Error::Digit { character: 'é', offset: 0 }));
        assert_eq!(decode("0"), Err(Nix32Error::Length(1)));
        assert_eq!(decode("zz"), Err(Nix32Error::TrailingBits));
        assert_eq!(decode(""), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), encoded_len(bytes.len()));
            prop_assert_eq!(decode(&text).unwrap(), bytes);
        }

        #[test]
        fn one_text_for_one_value(text in "[0-9a-df-np-sv-z]{0,60}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            drop(decode(&text));
        }
    }
}
