//! The header of one array: `\x93NUMPY`, a version, a length, and a Python dictionary as text.

use std::io::{self, Read};

/// The magic before the version.
const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The longest dictionary that is read, in bytes. numpy itself stops at 10000.
const TEXT_BYTES_MAX: u32 = 1 << 16;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyHeader {
    /// The element type as numpy spells it in a header (`<f4`).
    pub descr: String,
    /// True if the first dimension varies fastest.
    pub fortran_order: bool,
    /// Extents, outermost first.
    pub shape: Vec<u64>,
    /// Length of the header in bytes, magic included.
    pub header_bytes: u64,
}

impl NpyHeader {
    /// Reads a header, and nothing after it. The text of an error says what is wrong.
    pub fn read(reader: &mut impl Read) -> Result<NpyHeader, String> {
        let mut fixed = [0; 8];
        read_exactly(reader, &mut fixed)?;
        if fixed[..6] != MAGIC {
            return Err("it does not begin with numpy's magic".to_string());
        }
        let length_bytes: u8 = match fixed[6] {
            1 => 2,
            2 | 3 => 4,
            version => return Err(format!("its header has version {version}, versions 1 to 3 are known")),
        };
        let mut length = [0; 4];
        read_exactly(reader, &mut length[..usize::from(length_bytes)])?;
        let length = u32::from_le_bytes(length);
        if length > TEXT_BYTES_MAX {
            return Err(format!("its header has {length} bytes, at most {TEXT_BYTES_MAX} are read"));
        }
        let mut text = vec![0; length as usize];
        read_exactly(reader, &mut text)?;
        let text = String::from_utf8(text).map_err(|_| "its header is no text".to_string())?;
        let header_bytes = 8 + u64::from(length_bytes) + u64::from(length);
        parse_dictionary(&text, header_bytes).ok_or_else(|| format!("its header `{}` is not understood", text.trim()))
    }

    /// A header for a row-major array, padded so that the elements begin at a multiple of 64.
    pub fn encode(descr: &str, shape: &[u64]) -> Vec<u8> {
        let extents = shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let comma = if shape.len() == 1 { "," } else { "" };
        let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}{comma}), }}");
        // Ten bytes stand before the text, and a line feed ends it.
        let padded = (10 + dictionary.len() + 1).next_multiple_of(64) - 10;
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&[1, 0]);
        header.extend_from_slice(&(padded as u16).to_le_bytes());
        header.extend_from_slice(format!("{dictionary:<width$}\n", width = padded - 1).as_bytes());
        header
    }
}

fn read_exactly(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends within its header".to_string(),
        _ => error.to_string(),
    })
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order, each once.
fn parse_dictionary(text: &str, header_bytes: u64) -> Option<NpyHeader> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after_key) = take_quoted(rest)?;
        let value = after_key.trim_start().strip_prefix(':')?.trim_start();
        rest = match key {
            "descr" if descr.is_none() => {
                let (value, rest) = take_quoted(value)?;
                descr = Some(value.to_string());
                rest
            }
            "fortran_order" if fortran_order.is_none() => {
                let (flag, rest) = [("True", true), ("False", false)]
                    .iter()
                    .find_map(|(word, flag)| Some((*flag, value.strip_prefix(word)?)))?;
                fortran_order = Some(flag);
                rest
            }
            "shape" if shape.is_none() => {
                let (inside, rest) = value.strip_prefix('(')?.split_once(')')?;
                shape = Some(parse_extents(inside)?);
                rest
            }
            _ => return None,
        };
        rest = rest.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(NpyHeader { descr: descr?, fortran_order: fortran_order?, shape: shape?, header_bytes })
}

fn take_quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn parse_extents(inside: &str) -> Option<Vec<u64>> {
    let inside = inside.trim();
    if inside.is_empty() {
        return Some(Vec::new());
    }
    inside.strip_suffix(',').unwrap_or(inside).split(',').map(|extent| extent.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dictionary: &str, expected: Option<(&str, bool, &[u64])>) {
        let parsed = parse_dictionary(dictionary, 0);
        let expected = expected.map(|(descr, fortran_order, shape)| NpyHeader {
            descr: descr.to_string(),
            fortran_order,
            shape: shape.to_vec(),
            header_bytes: 0,
        });
        assert_eq!(parsed, expected, "{dictionary}");
    }

    #[test]
    fn dictionaries_as_numpy_writes_them() {
        check("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n", Some(("<f4", false, &[3, 4])));
        check("{'descr': '|b1', 'fortran_order': True, 'shape': (), }", Some(("|b1", true, &[])));
        check("{\"shape\": (7,), \"fortran_order\": False, \"descr\": \"<i8\"}", Some(("<i8", false, &[7])));
    }

    #[test]
    fn other_dictionaries() {
        check("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", None);
        check("{'descr': '<f4', 'fortran_order': False}", None);
        check("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", None);
        check("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", None);
        check("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", None);
        check("{'descr': '<f4' 'fortran_order': False, 'shape': ()}", None);
        check("{'é': 1}", None);
        check("é", None);
        check("", None);
    }

    #[test]
    fn headers_that_are_written_are_read() {
        for shape in [&[][..], &[7], &[3, 4], &[1 << 40; 20]] {
            let bytes = NpyHeader::encode("<f4", shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = NpyHeader::read(&mut bytes.as_slice()).expect("read");
            assert_eq!((header.descr.as_str(), header.shape.as_slice()), ("<f4", shape));
            assert_eq!(header.header_bytes, bytes.len() as u64);
            for length in 0..bytes.len() {
                let error = NpyHeader::read(&mut &bytes[..length]).expect_err("truncated");
                assert_eq!(error, "it ends within its header");
            }
        }
    }

    #[test]
    fn other_headers() {
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(NpyHeader::read(&mut &bytes[..]).expect_err(expected), expected);
        };
        check(b"\x93NUMPE\x01\0", "it does not begin with numpy's magic");
        check(b"\x93NUMPY\x09\0", "its header has version 9, versions 1 to 3 are known");
        check(b"\x93NUMPY\x02\0\xff\xff\xff\xff", "its header has 4294967295 bytes, at most 65536 are read");
        check(b"\x93NUMPY\x01\0\x02\0\xff\xff", "its header is no text");
        check(b"\x93NUMPY\x01\0\x02\0{}", "its header `{}` is not understood");
    }
}
