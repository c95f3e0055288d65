//! The least of a function of one number.

/// Temperatures that are tried (Guo et al. 2017).
pub(super) const TEMPERATURES: (f32, f32) = (0.25, 8.0);

/// Where a function with one valley is least between two bounds, by golden section.
pub(super) fn least((mut low, mut high): (f32, f32), of: impl Fn(f32) -> f64) -> f32 {
    const ROUNDS: usize = 24;
    let golden = (5.0_f32.sqrt() - 1.0) / 2.0;
    for _ in 0..ROUNDS {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if of(left) < of(right) { high = right } else { low = left }
    }
    f32::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_valley_is_found() {
        let found = least((0.25, 8.0), |x| f64::from(x - 3.0).powi(2));
        assert!((found - 3.0).abs() < 1e-3, "{found}");
        assert!(least((0.0, 1.0), f64::from) < 1e-3, "at the bound");
    }
}
