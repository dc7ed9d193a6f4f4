//! `--max-result`: how large a result may be.

/// The flag of commands that download results.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct MaxResult {
    /// Largest result to download: 256MB, 1GB
    #[arg(long = "max-result", value_name = "SIZE", default_value = "256MB", value_parser = size)]
    pub(super) bytes: u64,
}

/// Parses `1000`, `64KB`, `256MB`, `1.5GB` in bytes; units are powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let units = [("KB", 10), ("MB", 20), ("GB", 30), ("B", 0)];
    let known = units.into_iter().find_map(|(unit, power)| Some((upper.strip_suffix(unit)?, power)));
    let (number, power) = known.unwrap_or((&upper, 0));
    let bytes = number.trim().parse::<f64>().ok().map(|number| number * f64::from(1_u32 << power));
    let bytes = bytes.filter(|bytes| (1.0..=1e15).contains(bytes)).map(|bytes| bytes as u64);
    bytes.ok_or_else(|| "must be a size such as 64KB, 256MB or 1GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for (text, bytes) in [("1000", 1000), ("64kb", 65_536), ("256MB", 256 << 20), ("1.5 GB", 3 << 29), ("7B", 7)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "-1MB", "0", "NaN", "inf", "1TB", "1e300GB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
