//! Bits of a frame, most significant first, and prefix codes read from them.

/// The code words of an alphabet of `N` symbols.
pub(super) struct Book<const N: usize> {
    /// Bits of each word, 1 to 16.
    pub(super) lengths: [u8; N],
    /// The words, right justified.
    pub(super) codes: [u16; N],
}

/// A node of a [`Book`]'s tree: where a 0 and where a 1 lead, to another node (positive) or to a
/// symbol (its negative; no step leads back to the root, so that 0 is the first symbol).
pub(super) type Node = [i16; 2];

/// The tree of a book, `NODES` being the number of different words less one. A word that comes
/// twice stands for the symbol that has it first.
pub(super) const fn tree<const N: usize, const NODES: usize>(book: &Book<N>) -> [Node; NODES] {
    const EMPTY: i16 = i16::MIN;
    let mut nodes = [[EMPTY; 2]; NODES];
    let mut used = 1;
    let mut symbol = 0;
    while symbol < N {
        let mut node = 0;
        let mut left = book.lengths[symbol];
        while left > 0 {
            left -= 1;
            let bit = (book.codes[symbol] >> left & 1) as usize;
            if nodes[node][bit] == EMPTY {
                nodes[node][bit] = if left == 0 { -(symbol as i16) } else { used as i16 };
                used += (left != 0) as usize;
            }
            if left > 0 {
                node = nodes[node][bit] as usize;
            }
        }
        symbol += 1;
    }
    assert!(used == NODES);
    nodes
}

/// Reads the bits of a frame.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bits that are still to be read.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit != 0)
    }

    /// The next `count` bits as a number, 16 at most. Reads nothing when there are not that many.
    pub(super) fn number(&mut self, count: usize) -> Option<u16> {
        if count > self.left() {
            return None;
        }
        (0..count).try_fold(0, |number, _| Some(number << 1 | u16::from(self.bit()?)))
    }

    /// The symbol whose word comes next.
    pub(super) fn symbol(&mut self, tree: &[Node]) -> Option<usize> {
        let mut node = 0;
        loop {
            node = tree[node as usize][usize::from(self.bit()?)];
            if node <= 0 {
                return Some(usize::from(node.unsigned_abs()));
            }
        }
    }
}

/// Writes the bits of a frame. What goes beyond its end is dropped.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    position: usize,
}

impl<'a> Writer<'a> {
    /// The bits that nobody writes are 1, as the Recommendation wants it.
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        bytes.fill(0xff);
        Self { bytes, position: 0 }
    }

    /// Writes the lowest `count` bits of `number`, 32 at most.
    pub(super) fn number(&mut self, number: u32, count: usize) {
        for left in (0..count).rev() {
            let Some(byte) = self.bytes.get_mut(self.position / 8) else { return };
            if number >> left & 1 == 0 {
                *byte &= !(0x80 >> (self.position % 8));
            }
            self.position += 1;
        }
    }

    /// Bits written, or dropped at the end of the frame.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}
