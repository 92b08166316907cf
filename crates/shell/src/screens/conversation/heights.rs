//! Heights of many rows and their sums: a Fenwick tree, so that a change and a question cost the
//! logarithm of their number.

/// Heights in whole points.
#[derive(Default)]
pub struct Heights {
    each: Vec<u32>,
    /// `tree[i]` sums the rows that end at `i`; as many as the lowest set bit of `i + 1` says.
    tree: Vec<u64>,
}

impl Heights {
    /// Takes over all heights. Costs their number.
    pub fn set_all(&mut self, each: Vec<u32>) {
        self.tree = each.iter().map(|height| u64::from(*height)).collect();
        for at in 0..self.tree.len() {
            let parent = at | (at + 1);
            let own = self.tree.get(at).copied().unwrap_or(0);
            if let Some(sum) = self.tree.get_mut(parent) {
                *sum += own;
            }
        }
        self.each = each;
    }

    /// All heights, in order.
    pub fn all(&self) -> &[u32] {
        &self.each
    }

    /// Changes the height of one row.
    pub fn set(&mut self, at: usize, height: u32) {
        let Some(own) = self.each.get_mut(at) else { return };
        let before = std::mem::replace(own, height);
        if before == height {
            return;
        }
        let mut node = at;
        while let Some(sum) = self.tree.get_mut(node) {
            *sum = (*sum + u64::from(height)).saturating_sub(u64::from(before));
            node |= node + 1;
        }
    }

    /// The sum of the rows before this one.
    pub fn before(&self, at: usize) -> u64 {
        let mut sum = 0;
        let mut end = at.min(self.tree.len());
        while end > 0 {
            sum += self.tree.get(end - 1).copied().unwrap_or(0);
            end &= end - 1;
        }
        sum
    }

    /// The sum of all.
    pub fn total(&self) -> u64 {
        self.before(self.each.len())
    }

    /// The row at this distance from the top, the last one beyond the end.
    pub fn row_at(&self, distance: u64) -> usize {
        let mut left = distance;
        let mut at = 0;
        let mut step = self.tree.len().next_power_of_two();
        while step > 0 {
            let next = at + step;
            if let Some(sum) = next.checked_sub(1).and_then(|end| self.tree.get(end))
                && *sum <= left
            {
                left -= sum;
                at = next;
            }
            step /= 2;
        }
        at.min(self.each.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Heights;

    #[test]
    fn sums_and_places_are_those_of_the_plain_list() {
        let mut plain: Vec<u32> = (0..1_000).map(|at| (at * 7919) % 97 + 1).collect();
        let mut heights = Heights::default();
        heights.set_all(plain.clone());
        for round in 0..500_usize {
            let at = (round * 613) % plain.len();
            let height = u32::try_from((round * 31) % 200).expect("small");
            plain[at] = height;
            heights.set(at, height);
            let end = (round * 271) % (plain.len() + 1);
            let sum: u64 = plain[..end].iter().map(|one| u64::from(*one)).sum();
            assert_eq!(heights.before(end), sum);
        }
        let mut top = 0;
        for (at, height) in plain.iter().enumerate() {
            if *height > 0 {
                assert_eq!(heights.row_at(top), at);
                assert_eq!(heights.row_at(top + u64::from(*height) - 1), at);
            }
            top += u64::from(*height);
        }
        assert_eq!(heights.total(), top);
        assert_eq!(heights.row_at(u64::MAX), plain.len() - 1);
        assert_eq!(Heights::default().row_at(5), 0);
    }
}
