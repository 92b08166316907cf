//! Which packets came already (RFC 3711 section 3.3.2).

/// How far back is remembered. RFC 3711 asks for at least 64.
const WIDTH: u64 = 128;

/// The highest number that came, and which of those before it did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    /// One above the highest; 0 when nothing came.
    next: u64,
    /// Bit 0 is the highest.
    seen: u128,
}

impl Window {
    /// The highest number that came.
    pub(super) fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// It may be a new one.
    pub(super) fn is_new(&self, number: u64) -> bool {
        match self.next.checked_sub(number + 1) {
            None => true,
            Some(back) => back < WIDTH && self.seen & (1 << back) == 0,
        }
    }

    /// It came, and was proven.
    pub(super) fn note(&mut self, number: u64) {
        match (number + 1).checked_sub(self.next) {
            Some(ahead) if ahead > 0 => {
                let moved = if ahead < WIDTH { self.seen << ahead } else { 0 };
                (self.seen, self.next) = (moved | 1, number + 1);
            }
            _ => {
                let back = self.next - number - 1;
                if back < WIDTH {
                    self.seen |= 1 << back;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn nothing_is_new_twice() {
        let mut window = Window::default();
        assert!(window.is_new(0));
        for number in [5, 3, 7, 200, 199, 73] {
            assert!(window.is_new(number), "{number}");
            window.note(number);
            assert!(!window.is_new(number), "{number}");
        }
        assert!(window.is_new(198) && window.is_new(74) && window.is_new(201));
        // 128 back from 200 and further is too old to tell.
        assert!(!window.is_new(72) && !window.is_new(0));
        assert_eq!(window.highest(), Some(200));
        window.note(10_000);
        assert!(window.is_new(9_999) && !window.is_new(200));
    }
}
