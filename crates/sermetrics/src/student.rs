//! Quantiles and tails of Student's t distribution, by its distribution function, and the tail of the binomial distribution
//! (regularised incomplete beta function; continued fraction of Abramowitz & Stegun 26.5.8).

/// The `p` quantile (0.5 <= p < 1) with `degrees` degrees of freedom.
pub(crate) fn t_quantile(p: f64, degrees: f64) -> f64 {
    let mut low = 0.0;
    let mut high = 1.0;
    while t_cdf(high, degrees) < p && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if t_cdf(middle, degrees) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// P(|T| >= |t|).
pub(crate) fn t_two_sided(t: f64, degrees: f64) -> f64 {
    incomplete_beta(degrees / (degrees + t * t), 0.5 * degrees, 0.5)
}

/// P(X <= k) of a binomial variable of `n` draws with probability 1/2.
pub(crate) fn binomial_tail(k: u64, n: u64) -> f64 {
    if k >= n {
        return 1.0;
    }
    // P(X <= k) = I_{1/2}(n - k, k + 1)
    incomplete_beta(0.5, (n - k) as f64, (k + 1) as f64)
}

/// P(T <= t) for t >= 0.
fn t_cdf(t: f64, degrees: f64) -> f64 {
    1.0 - 0.5 * incomplete_beta(degrees / (degrees + t * t), 0.5 * degrees, 0.5)
}

fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The continued fraction converges fast only on this side.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    let (mut c, mut d) = (1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for numerator in [even, odd] {
            d = 1.0 / (1.0 + numerator * d);
            c = 1.0 + numerator / c;
            fraction *= c * d;
        }
        if (fraction - before).abs() < 1e-15 * fraction.abs() {
            break;
        }
    }
    front * fraction / a
}

/// ln Γ(x) for x > 0: Stirling's series after shifting the argument beyond 15.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 15.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[scipy.stats.t.ppf(p, df) for p, df in cases]`, SciPy 1.17.1.
    #[test]
    fn equals_scipy() {
        let cases = [
            (0.975, 1.0, 12.706204736174694),
            (0.975, 2.0, 4.302652729749462),
            (0.975, 9.0, 2.2621571627982053),
            (0.95, 9.0, 1.8331129326562374),
            (0.995, 4.0, 4.604094871349993),
            (0.975, 199.0, 1.9719565442517553),
        ];
        for (p, degrees, expected) in cases {
            let got = t_quantile(p, degrees);
            assert!((got - expected).abs() < 1e-9 * expected, "{p} {degrees}: {got} {expected}");
        }
    }

    /// `[2 * scipy.stats.t.sf(abs(t), df) for t, df in cases]` and `[scipy.stats.binom.cdf(k, n, 0.5) for k, n in cases]`, SciPy 1.17.1.
    #[test]
    fn tails_equal_scipy() {
        for (t, degrees, expected) in [
            (0.5, 1.0, 0.7048327646991335),
            (2.262, 9.0, 0.05001284550245463),
            (-4.1, 29.0, 0.0003047333825677779),
            (12.0, 3.0, 0.0012450158007893362),
        ] {
            let got = t_two_sided(t, degrees);
            assert!((got - expected).abs() < 1e-9 * expected, "{t} {degrees}: {got} {expected}");
        }
        for (k, n, expected) in [
            (0, 1, 0.5),
            (3, 10, 0.171875),
            (5, 10, 0.623046875),
            (0, 20, 9.5367431640625e-07),
            (41, 100, 0.04431304005703379),
            (490, 1000, 0.2739863729617383),
        ] {
            let got = binomial_tail(k, n);
            assert!((got - expected).abs() < 1e-9 * expected, "{k} {n}: {got} {expected}");
        }
    }
}
