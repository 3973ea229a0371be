//! Which format.

use processor_domain::Kept;

use super::csv::Csv;
use super::geojson::GeoJson;
use super::gpx::Gpx;
use super::ndjson::NdJson;
use crate::text::Text;

/// A format in which positions are exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// One record a line, in the words of the stream: it can be replayed.
    NdJson,
    /// One `FeatureCollection`, RFC 7946.
    GeoJson,
    /// One track for each device, GPX 1.1.
    Gpx,
    /// A table, RFC 4180.
    Csv,
}

/// Writes positions one after another, in the order of their devices and times.
pub(crate) trait Encoder: Send {
    /// What comes before the first one.
    fn begin(&mut self, out: &mut Text);

    /// One position.
    fn position(&mut self, out: &mut Text, kept: &Kept);

    /// What comes after the last one.
    fn end(&mut self, out: &mut Text);
}

impl Format {
    pub(crate) const ALL: [Self; 4] = [Self::NdJson, Self::GeoJson, Self::Gpx, Self::Csv];

    /// What it is called in a query, and at the end of the name of a file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NdJson => "ndjson",
            Self::GeoJson => "geojson",
            Self::Gpx => "gpx",
            Self::Csv => "csv",
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::NdJson => "application/x-ndjson",
            Self::GeoJson => "application/geo+json",
            Self::Gpx => "application/gpx+xml",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The first one that an `Accept` header names that there is; NDJSON for one that takes anything.
    pub(crate) fn accepted(accept: &str) -> Option<Self> {
        accept.split(',').find_map(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            let is = |format: &Self| format.media_type().split(';').next() == Some(range);
            match range {
                "*/*" | "application/*" => Some(Self::NdJson),
                "text/*" => Some(Self::Csv),
                "application/json" => Some(Self::GeoJson),
                _ => Self::ALL.into_iter().find(is),
            }
        })
    }

    pub(crate) fn encoder(self) -> Box<dyn Encoder> {
        match self {
            Self::NdJson => Box::new(NdJson),
            Self::GeoJson => Box::new(GeoJson::default()),
            Self::Gpx => Box::new(Gpx::default()),
            Self::Csv => Box::new(Csv),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_what_somebody_accepts() {
        for format in Format::ALL {
            assert_eq!(Format::accepted(format.media_type()), Some(format));
        }
        assert_eq!(Format::accepted("*/*"), Some(Format::NdJson));
        assert_eq!(Format::accepted("image/png, application/gpx+xml;q=0.8, text/csv"), Some(Format::Gpx));
        assert_eq!(Format::accepted("image/png"), None);
        assert_eq!(Format::accepted(""), None);
    }
}
