//! Cuts MLIR text into tokens.
//!
//! A token is a kind and a range of the source; nothing is copied. The lexer has no state but its offset, so that the
//! parser can read again from anywhere (dimension lists and the bodies of foreign attributes are not made of tokens).

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `stablehlo.add`, `tensor`, `true`.
    Bare,
    /// `%x`, `%0`.
    Percent,
    /// `@name` or `@"name"`.
    At,
    /// `#name`.
    Hash,
    /// `!name`.
    Bang,
    /// `^name`.
    Caret,
    /// `12`, `0xff`.
    Integer,
    /// `1.5e-3`.
    Float,
    /// `"text"`, quotes included.
    String,
    /// One character of punctuation.
    Punct(u8),
    /// `->`
    Arrow,
    /// `::`
    Colons,
    /// `{-#`
    MetadataOpen,
    /// `#-}`
    MetadataClose,
    /// A string without an end on its line.
    UnterminatedString,
    /// A character that starts no token.
    Stray,
    /// The end of the source.
    End,
}

/// A kind and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
}

/// The first token at or after an offset.
pub fn token_at(source: &str, offset: usize) -> Token {
    let bytes = source.as_bytes();
    let start = skip_blank(bytes, offset);
    let Some(first) = bytes.get(start).copied() else {
        return Token { kind: Kind::End, start: bytes.len(), end: bytes.len() };
    };
    let (kind, end) = match first {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => (Kind::Bare, skip_while(bytes, start + 1, is_bare)),
        b'0'..=b'9' => number(bytes, start),
        b'%' => sigil(bytes, start, Kind::Percent),
        b'!' => sigil(bytes, start, Kind::Bang),
        b'^' => sigil(bytes, start, Kind::Caret),
        b'#' if bytes[start..].starts_with(b"#-}") => (Kind::MetadataClose, start + 3),
        b'#' => sigil(bytes, start, Kind::Hash),
        b'{' if bytes[start..].starts_with(b"{-#") => (Kind::MetadataOpen, start + 3),
        b'@' if bytes.get(start + 1) == Some(&b'"') => string(bytes, start + 1, Kind::At),
        b'@' => sigil(bytes, start, Kind::At),
        b'"' => string(bytes, start, Kind::String),
        b'-' if bytes.get(start + 1) == Some(&b'>') => (Kind::Arrow, start + 2),
        b':' if bytes.get(start + 1) == Some(&b':') => (Kind::Colons, start + 2),
        b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b',' | b':' | b'=' | b'-' | b'+' | b'*' | b'?'
        | b'|' | b'/' | b';' => (Kind::Punct(first), start + 1),
        _ => (Kind::Stray, start + source[start..].chars().next().map_or(1, char::len_utf8)),
    };
    Token { kind, start, end }
}

/// The offset after blanks and comments.
pub fn skip_blank(bytes: &[u8], mut offset: usize) -> usize {
    loop {
        offset = skip_while(bytes, offset, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        if !bytes[offset..].starts_with(b"//") {
            return offset;
        }
        offset = skip_while(bytes, offset, |byte| byte != b'\n');
    }
}

fn skip_while(bytes: &[u8], start: usize, accepts: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|byte| !accepts(*byte)).map_or(bytes.len(), |count| start + count)
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.')
}

/// `%`, `#`, … with its suffix: digits, or a letter or punctuation with what may follow it.
fn sigil(bytes: &[u8], start: usize, kind: Kind) -> (Kind, usize) {
    let end = match bytes.get(start + 1) {
        Some(b'0'..=b'9') if kind != Kind::At => skip_while(bytes, start + 1, |byte| byte.is_ascii_digit()),
        Some(first) if is_bare(*first) || *first == b'-' => {
            skip_while(bytes, start + 1, |byte| is_bare(byte) || byte == b'-')
        }
        _ => return (Kind::Stray, start + 1),
    };
    // `#a->b` must not take the arrow's dash.
    let arrow = bytes[end - 1] == b'-' && bytes.get(end) == Some(&b'>');
    (kind, if arrow { end - 1 } else { end })
}

fn number(bytes: &[u8], start: usize) -> (Kind, usize) {
    if bytes[start..].starts_with(b"0x") && bytes.get(start + 2).is_some_and(u8::is_ascii_hexdigit) {
        return (Kind::Integer, skip_while(bytes, start + 2, |byte| byte.is_ascii_hexdigit()));
    }
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let end = skip_while(bytes, start, is_digit);
    if bytes.get(end) != Some(&b'.') {
        return (Kind::Integer, end);
    }
    let end = skip_while(bytes, end + 1, is_digit);
    if !matches!(bytes.get(end), Some(b'e' | b'E')) {
        return (Kind::Float, end);
    }
    let digits = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
    match bytes.get(digits) {
        Some(byte) if byte.is_ascii_digit() => (Kind::Float, skip_while(bytes, digits, is_digit)),
        _ => (Kind::Float, end),
    }
}

/// A string from its opening quote.
fn string(bytes: &[u8], quote: usize, kind: Kind) -> (Kind, usize) {
    let mut offset = quote + 1;
    while let Some(byte) = bytes.get(offset) {
        match byte {
            b'"' => return (kind, offset + 1),
            b'\n' => break,
            b'\\' => offset += 2,
            _ => offset += 1,
        }
    }
    (Kind::UnterminatedString, offset.min(bytes.len()))
}

/// The offset after the bracket that closes the one at `open`, strings skipped; none where it is never closed.
pub fn closing_bracket(source: &str, open: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut pending = Vec::new();
    let mut offset = open;
    while let Some(byte) = bytes.get(offset) {
        match byte {
            b'<' => pending.push(b'>'),
            b'(' => pending.push(b')'),
            b'[' => pending.push(b']'),
            b'{' => pending.push(b'}'),
            b'-' if bytes.get(offset + 1) == Some(&b'>') => offset += 1,
            b'>' | b')' | b']' | b'}' => {
                if pending.pop() != Some(*byte) {
                    return None;
                }
                if pending.is_empty() {
                    return Some(offset + 1);
                }
            }
            b'"' => {
                let (kind, end) = string(bytes, offset, Kind::String);
                if kind == Kind::UnterminatedString {
                    return None;
                }
                offset = end - 1;
            }
            _ => {}
        }
        offset += 1;
    }
    None
}
