use std::collections::BTreeMap;
use std::fmt;

/// The metrics of a process at one moment: Prometheus text, taken apart.
#[derive(Clone, PartialEq, Default)]
pub struct Exposition {
    samples: BTreeMap<Series, f64>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    /// In the order of their names.
    labels: Vec<(String, String)>,
}

impl Exposition {
    /// Takes Prometheus text apart; comments and lines that are no samples are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { samples: text.lines().filter_map(sample).collect() }
    }

    /// The value of one series: `value("processor_records_total", &[("outcome", "stored")])`.
    ///
    /// The labels are all that the series has, in any order.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut labels: Vec<_> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        labels.sort();
        self.samples.get(&Series { name: name.to_owned(), labels }).copied()
    }

    /// The sum of all series of this name, whatever their labels; `None` if there is none.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<f64> {
        let values = self.samples.iter().filter(|(series, _)| series.name == name).map(|(_, value)| *value);
        values.reduce(|sum, value| sum + value)
    }

    /// The buckets of a histogram, whatever their other labels: upper bounds in their order, each with how many values
    /// there were up to it. Empty if there is no such histogram.
    #[must_use]
    pub fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (series, value) in self.samples.iter().filter(|(series, _)| series.is_bucket_of(name)) {
            let Some(bound) = series.bound() else { continue };
            match buckets.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
                Some((_, count)) => *count += value,
                None => buckets.push((bound, *value)),
            }
        }
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        buckets
    }

    /// The names of all series.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.samples.keys().map(|series| series.name.as_str())
    }
}

impl Series {
    fn is_bucket_of(&self, histogram: &str) -> bool {
        self.name.strip_suffix("_bucket") == Some(histogram)
    }

    fn bound(&self) -> Option<f64> {
        let (_, bound) = self.labels.iter().find(|(name, _)| name == "le")?;
        bound.parse().ok()
    }
}

impl fmt::Debug for Exposition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series = |series: &Series| {
            let labels: Vec<_> =
                series.labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            format!("{}{{{}}}", series.name, labels.join(","))
        };
        out.debug_map().entries(self.samples.iter().map(|(key, value)| (series(key), value))).finish()
    }
}

fn sample(line: &str) -> Option<(Series, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let name_end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(name_end);
    let (mut labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    labels.sort();
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some((Series { name: name.to_owned(), labels }, value))
}

/// Reads labels up to the closing brace, and gives back what follows it.
fn labels(mut text: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (key, rest) = text.split_once("=\"")?;
        let (mut value, mut end, mut chars) = (String::new(), None, rest.char_indices());
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    end = Some(at + 1);
                    break;
                }
                '\\' => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
        labels.push((key.to_owned(), value));
        text = rest.get(end?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_prometheus_reads() {
        let metrics = Exposition::parse(
            "# HELP a_total How many.\n# TYPE a_total counter\na_total{b=\"1\",a=\"x,\\\"}\\n\"} 3 1714557600000\n\
             a_total{a=\"y\",} 4\nlag 1.5e3\nsize_bucket{le=\"+Inf\"} 7\nnot a sample\n\nodd +Inf\n",
        );
        assert_eq!(metrics.value("a_total", &[("a", "x,\"}\n"), ("b", "1")]), Some(3.0));
        assert_eq!(metrics.sum("a_total"), Some(7.0));
        assert_eq!(metrics.value("lag", &[]), Some(1500.0));
        assert_eq!(metrics.value("size_bucket", &[("le", "+Inf")]), Some(7.0));
        assert_eq!(metrics.value("odd", &[]), Some(f64::INFINITY));
        assert_eq!(metrics.value("absent", &[]), None);
        assert_eq!(metrics.sum("absent"), None);
        assert_eq!(metrics.names().count(), 5);
    }

    #[test]
    fn buckets_are_in_the_order_of_their_bounds() {
        let metrics = Exposition::parse(
            "size_bucket{le=\"+Inf\"} 7\nsize_bucket{le=\"10\"} 6\nsize_bucket{le=\"9\",kind=\"a\"} 2\n\
             size_bucket{le=\"9\",kind=\"b\"} 1\nsize_sum 50\n",
        );
        assert_eq!(metrics.buckets("size"), [(9.0, 3.0), (10.0, 6.0), (f64::INFINITY, 7.0)]);
        assert_eq!(metrics.buckets("absent"), []);
    }
}
