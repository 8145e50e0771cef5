//! A small generator of numbers that gives the same for the same seed, whatever version of whatever crate (SplitMix64, Steele et al. 2014).
//! For synthetic data alone.

/// Numbers from a seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`.
    pub(super) fn below(&mut self, end: u16) -> u16 {
        // 64 bits over at most 65,535 values: no bias that anybody would see.
        u16::try_from(self.next() % u64::from(end.max(1))).unwrap_or(0)
    }

    /// A number from `from` to `to`, both included.
    pub(super) fn within(&mut self, from: u16, to: u16) -> u16 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Once in `times`.
    pub(super) fn once_in(&mut self, times: u16) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
        items[usize::from(self.below(count))]
    }
}
