//! Stepping over the text of JSON values.

/// A place in the text of a well-formed JSON value.
///
/// The text has been checked by the JSON parser before, so nothing is checked again; on text that is not
/// well-formed the pass ends early and does no harm.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// One entry of an object.
pub(crate) struct Entry<'a> {
    /// The name, with its quotes.
    pub(crate) name: &'a str,
    pub(crate) value: Span<'a>,
}

/// The text of one value.
pub(crate) struct Span<'a> {
    pub(crate) text: &'a str,
    /// How many objects and arrays are inside of each other; 0 for a value that is neither.
    pub(crate) depth: usize,
}

/// The entries of an object, in their order.
pub(crate) struct Entries<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Entries<'a> {
    /// Of the object that `text` is.
    pub(crate) const fn of(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text) }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let cursor = &mut self.cursor;
        cursor.skip_space();
        cursor.eat(b'{').or_else(|| cursor.eat(b','))?;
        cursor.skip_space();
        if cursor.peek() != Some(b'"') {
            return None;
        }
        let name = cursor.string()?;
        cursor.skip_space();
        cursor.eat(b':')?;
        cursor.skip_space();
        Some(Entry { name, value: cursor.value()? })
    }
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over this byte, if it is the next one.
    pub(crate) fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over one value.
    pub(crate) fn value(&mut self) -> Option<Span<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Span::flat),
            b'{' | b'[' => self.container(),
            _ => self.word().map(Span::flat),
        }
    }

    /// Steps over a string and gives it with its quotes.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start + 1;
        loop {
            match bytes.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        self.text.get(start..self.at)
    }

    /// Steps over a number or a literal.
    fn word(&mut self) -> Option<&'a str> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'a'..=b'z' | b'-' | b'+' | b'.' | b'E') = self.peek() {
            self.at += 1;
        }
        self.text.get(start..self.at).filter(|word| !word.is_empty())
    }

    /// Steps over an object or an array.
    fn container(&mut self) -> Option<Span<'a>> {
        let start = self.at;
        let (mut open, mut depth) = (0_usize, 0);
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => {
                    open += 1;
                    depth = depth.max(open);
                }
                b'}' | b']' => open = open.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(Span { text: self.text.get(start..self.at)?, depth });
            }
        }
    }
}

impl<'a> Span<'a> {
    const fn flat(text: &'a str) -> Self {
        Self { text, depth: 0 }
    }
}
