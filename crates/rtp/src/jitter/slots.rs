//! A ring of pooled places for packets, by sequence number.

/// What is in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To be decoded.
    Sound,
    /// To be passed over.
    Event,
}

#[derive(Clone, Copy)]
struct Slot {
    sequence: u64,
    timestamp: i64,
    payload_type: u8,
    kind: Kind,
    length: usize,
}

/// The ring. Sequence numbers in it lie within its size of each other.
pub(super) struct Slots {
    slots: Vec<Option<Slot>>,
    payloads: Vec<u8>,
    payload_size: usize,
}

impl Slots {
    pub(super) fn new(count: usize, payload_size: usize) -> Self {
        Self { slots: vec![None; count], payloads: vec![0; count * payload_size], payload_size }
    }

    fn index(&self, sequence: u64) -> usize {
        (sequence % self.slots.len() as u64) as usize
    }

    fn at(&self, sequence: u64) -> Option<&Slot> {
        self.slots[self.index(sequence)].as_ref().filter(|slot| slot.sequence == sequence)
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
    }

    pub(super) fn holds(&self, sequence: u64) -> bool {
        self.at(sequence).is_some()
    }

    pub(super) fn timestamp(&self, sequence: u64) -> Option<i64> {
        self.at(sequence).map(|slot| slot.timestamp)
    }

    pub(super) fn kind(&self, sequence: u64) -> Option<Kind> {
        self.at(sequence).map(|slot| slot.kind)
    }

    /// The lowest sequence number here.
    pub(super) fn lowest(&self) -> Option<u64> {
        self.slots.iter().flatten().map(|slot| slot.sequence).min()
    }

    /// The highest sequence number here.
    pub(super) fn highest(&self) -> Option<u64> {
        self.slots.iter().flatten().map(|slot| slot.sequence).max()
    }

    pub(super) fn put(
        &mut self,
        sequence: u64,
        timestamp: i64,
        payload_type: u8,
        kind: Kind,
        payload: &[u8],
    ) {
        let index = self.index(sequence);
        let length = payload.len().min(self.payload_size);
        let begin = index * self.payload_size;
        self.payloads[begin..begin + length].copy_from_slice(&payload[..length]);
        self.slots[index] = Some(Slot { sequence, timestamp, payload_type, kind, length });
    }

    pub(super) fn payload(&self, sequence: u64) -> Option<&[u8]> {
        let slot = self.at(sequence).filter(|slot| slot.kind == Kind::Sound)?;
        let begin = self.index(sequence) * self.payload_size;
        Some(&self.payloads[begin..begin + slot.length])
    }

    /// Frees the place; the payload stays readable until the next `put`.
    pub(super) fn take(&mut self, sequence: u64) -> Option<(u8, &[u8])> {
        let slot = *self.at(sequence)?;
        let index = self.index(sequence);
        self.slots[index] = None;
        let begin = index * self.payload_size;
        Some((slot.payload_type, &self.payloads[begin..begin + slot.length]))
    }

    pub(super) fn remove(&mut self, sequence: u64) {
        if self.holds(sequence) {
            let index = self.index(sequence);
            self.slots[index] = None;
        }
    }

    /// Frees everything before `sequence`; gives how many packets of sound that were.
    pub(super) fn drop_before(&mut self, sequence: u64) -> usize {
        let mut count = 0;
        for place in &mut self.slots {
            if let Some(slot) = place.filter(|slot| slot.sequence < sequence) {
                count += usize::from(slot.kind == Kind::Sound);
                *place = None;
            }
        }
        count
    }
}
